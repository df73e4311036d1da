import type { TrialResult } from '../run/types.js';
import type { Column } from './table.js';
import { bytes, count, percent } from './units.js';

/** The table of results, in the terminal and in the report. */
export const resultColumns: readonly Column<TrialResult>[] = [
  { title: 'optimizer', cell: ({ optimizer }) => optimizer },
  { title: 'format', cell: ({ format }) => format },
  { title: 'test accuracy', align: 'right', cell: ({ testAccuracy }) => percent(testAccuracy) },
  { title: 'test loss', align: 'right', cell: ({ testLoss }) => testLoss.toFixed(4) },
  { title: 'seconds', align: 'right', cell: ({ seconds }) => seconds.toFixed(1) },
  { title: 'images/s', align: 'right', cell: ({ imagesPerSecond }) => count(imagesPerSecond) },
  { title: 'peak memory', align: 'right', cell: ({ peakMemoryBytes }) => bytes(peakMemoryBytes) },
];
