import type { Prediction } from '../predict/predict-images.js';
import { type Column, renderTable, type TableOptions } from './table.js';
import { percent } from './units.js';

const file: Column<Prediction> = { title: 'file', cell: ({ file }) => file };
const prediction: Column<Prediction> = { title: 'prediction', cell: ({ className }) => className };
const probability: Column<Prediction> = {
  title: 'probability',
  align: 'right',
  cell: ({ probability }) => percent(probability),
};
const spread: Column<Prediction> = {
  title: 'spread',
  align: 'right',
  cell: ({ spread }) => (spread === undefined ? '' : `± ${percent(spread)}`),
};
const others: Column<Prediction> = {
  title: 'next',
  cell: ({ top }) =>
    top
      .slice(1)
      .map(({ className, probability }) => `${className} ${percent(probability)}`)
      .join(', '),
};

/** One line per file: its most probable class, with its spread over posterior samples, and the next classes. */
export function predictionTable(predictions: readonly Prediction[], options: TableOptions): string {
  const isSampled = predictions.some(({ spread }) => spread !== undefined);
  const hasOthers = predictions.some(({ top }) => top.length > 1);
  const columns = [file, prediction, probability, ...(isSampled ? [spread] : []), ...(hasOthers ? [others] : [])];
  return renderTable(columns, predictions, options);
}

/**
 * Comma-separated values with a header, quoted as in RFC 4180, with lines that end in \n: `file`, and for each rank
 * `prediction`, `probability` and, where samples were averaged, `spread`; from the second rank on with its number.
 */
export function predictionsCsv(predictions: readonly Prediction[]): string {
  const isSampled = predictions.some(({ spread }) => spread !== undefined);
  const ranks = predictions.reduce((most, { top }) => Math.max(most, top.length), 1);
  const names = ['prediction', 'probability', ...(isSampled ? ['spread'] : [])];
  const header = Array.from({ length: ranks }, (_, rank) =>
    names.map((name) => (rank === 0 ? name : `${name}_${rank + 1}`)),
  ).flat();
  const rows = predictions.map(({ file, top }) => [
    file,
    ...top.flatMap(({ className, probability, spread }) => [
      className,
      String(probability),
      ...(isSampled ? [String(spread ?? '')] : []),
    ]),
  ]);
  return [['file', ...header], ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** A field with a comma, a quote or a line break stands in quotes. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
