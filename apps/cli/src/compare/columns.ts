import { showValue } from '../output/show.js';
import type { Column } from '../output/table.js';
import { bytes, count, percent } from '../output/units.js';
import { type ComparedTrial, type Comparison, type Evaluated, trialTitle } from './comparison.js';

const loss = (value: Evaluated | undefined) => value?.loss.toFixed(4) ?? '';
const accuracy = (value: Evaluated | undefined) => (value === undefined ? '' : percent(value.accuracy));

/** The table of a comparison, in the terminal and in the report. */
export function comparisonColumns({ trials }: Comparison): readonly Column<ComparedTrial>[] {
  const isTested = trials.some(({ test }) => test !== undefined);
  const right = 'right';
  return [
    { title: 'run', cell: ({ run }) => run },
    { title: 'optimizer', cell: ({ optimizer }) => optimizer },
    { title: 'status', cell: statusOf },
    { title: 'steps', align: right, cell: ({ step }) => count(step) },
    { title: 'validation loss', align: right, cell: ({ validation }) => loss(validation) },
    { title: 'accuracy', align: right, cell: ({ validation }) => accuracy(validation) },
    { title: 'best loss', align: right, cell: ({ best }) => loss(best) },
    { title: 'at step', align: right, cell: ({ best }) => (best === undefined ? '' : count(best.step)) },
    ...(isTested
      ? ([
          { title: 'test loss', align: right, cell: ({ test }) => loss(test) },
          { title: 'test accuracy', align: right, cell: ({ test }) => accuracy(test) },
        ] as const satisfies readonly Column<ComparedTrial>[])
      : []),
    { title: 'seconds', align: right, cell: ({ seconds }) => seconds?.toFixed(1) ?? '' },
    {
      title: 'peak memory',
      align: right,
      cell: ({ peakMemoryBytes }) => (peakMemoryBytes === undefined ? '' : bytes(peakMemoryBytes)),
    },
  ];
}

/** `finished`, or how far an unfinished one is. */
export function statusOf({ isFinished, step, steps }: ComparedTrial): string {
  return isFinished ? 'finished' : `unfinished, ${count(step)} of ${count(steps)}`;
}

/** A row per differing key, with a column per trial. */
export function differenceTable({ trials, differences }: Comparison): {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const titles = ['key', ...trials.map((trial) => trialTitle(trial, trials))];
  return { titles, rows: differences.map(({ key, values }) => [key, ...values.map(shown)]) };
}

const shown = (value: unknown) => (value === undefined ? '–' : typeof value === 'string' ? value : showValue(value));
