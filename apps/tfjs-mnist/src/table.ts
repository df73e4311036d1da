import type { Result } from './train.js';

/** Results as a Markdown table, aligned so that it is read in a terminal too. */
export function resultsTable(results: readonly Result[]): string {
  const rows = [
    ['optimizer', 'precision', 'test accuracy', 'test loss', 'seconds', 'processor seconds'],
    ...results.map((result) => [
      result.optimizer,
      result.precision,
      `${(100 * result.testAccuracy).toFixed(2)} %`,
      result.testLoss.toFixed(4),
      result.seconds.toFixed(1),
      result.processorSeconds.toFixed(1),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`));
  return [line(rows[0]!), `|${rule.join('|')}|`, ...rows.slice(1).map(line)].join('\n');
}
