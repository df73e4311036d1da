import type { TrialResult } from '../run/types.js';
import type { Column } from './table.js';
import { bytes, count, percent } from './units.js';

const testColumns: readonly Column<TrialResult>[] = [
  { title: 'test accuracy', align: 'right', cell: ({ testAccuracy }) => percent(testAccuracy!) },
  { title: 'test loss', align: 'right', cell: ({ testLoss }) => testLoss!.toFixed(4) },
];

/** The table of results, in the terminal and in the report: of images, or of text. */
export function resultColumns(results: readonly TrialResult[]): readonly Column<TrialResult>[] {
  const isText = results.some(({ tokensPerSecond }) => tokensPerSecond !== undefined);
  const isTested = results.every(({ testLoss }) => testLoss !== undefined);
  return [
    { title: 'optimizer', cell: ({ optimizer }) => optimizer },
    { title: 'format', cell: ({ format }) => format },
    ...(isTested
      ? testColumns
      : ([
          { title: 'validation accuracy', align: 'right', cell: (result) => percent(result.validationAccuracy!) },
          { title: 'validation loss', align: 'right', cell: (result) => result.validationLoss!.toFixed(4) },
        ] as readonly Column<TrialResult>[])),
    ...(isText
      ? [
          {
            title: 'perplexity',
            align: 'right',
            cell: ({ testPerplexity, validationLoss }) => (testPerplexity ?? Math.exp(validationLoss!)).toFixed(2),
          } as Column<TrialResult>,
        ]
      : []),
    { title: 'seconds', align: 'right', cell: ({ seconds }) => seconds.toFixed(1) },
    isText
      ? { title: 'tokens/s', align: 'right', cell: ({ tokensPerSecond }) => count(tokensPerSecond!) }
      : { title: 'images/s', align: 'right', cell: ({ imagesPerSecond }) => count(imagesPerSecond) },
    { title: 'peak memory', align: 'right', cell: ({ peakMemoryBytes }) => bytes(peakMemoryBytes) },
  ];
}
