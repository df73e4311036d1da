import { markdownTable } from 'markdown-table';
import { binTitles } from '../histogram.js';
import type { LevelResult } from './climb.js';
import type { OperationErrors, SpeedRow } from './messages.js';

/** Text of a backend for a line of Markdown or of a terminal: without line breaks and control characters. */
export const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ').replace(/\p{Cc}/gu, '\ufffd');

/** An aligned table in Markdown, which is as well read on a terminal. */
function table(titles: readonly string[], rows: readonly (readonly string[])[], leftColumns: number): string {
  const cells = [titles, ...rows].map((row) => row.map((cell) => oneLine(cell).replaceAll('|', '\\|')));
  const align = titles.map((_, index) => (index < leftColumns ? null : 'r'));
  return markdownTable(cells, { align, stringLength: (cell) => [...cell].length });
}

export function levelTable(levels: readonly LevelResult[]): string {
  const rows = levels.map(({ name, state, tests, outcomes, seconds }) => {
    const passed = outcomes.filter((outcome) => outcome.passed).length;
    const counts = state === 'not run' ? ['', ''] : [`${passed}`, seconds.toFixed(1)];
    return [name, state, `${tests}`, ...counts];
  });
  return table(['level', 'result', 'tests', 'passed', 'seconds'], rows, 2);
}

/** Errors in ulp of the magnitude of the terms, the operations with the largest part of their bound first. */
export function errorTable(errors: readonly OperationErrors[]): string {
  const rows = [...errors]
    .sort((a, b) => b.share - a.share || a.operation.localeCompare(b.operation))
    .map(({ operation, composed, bound, results, units, share, histogram }) => [
      composed ? `${operation} (composed)` : operation,
      bound,
      `${results}`,
      (units / 2).toPrecision(2),
      `${(100 * share).toFixed(1)} %`,
      ...histogram.map((count) => (count === 0 ? '' : `${count}`)),
    ]);
  return table(['operation', 'bound', 'results', 'largest error', 'of the bound', ...binTitles], rows, 2);
}

export function speedTable(speed: readonly SpeedRow[]): string {
  const rows = speed.map(({ operation, size, milliseconds, referenceMilliseconds }) => [
    operation,
    size,
    milliseconds.toPrecision(3),
    referenceMilliseconds.toPrecision(3),
    `${(referenceMilliseconds / milliseconds).toPrecision(3)} ×`,
  ]);
  return table(['operation', 'operands', 'ms', 'reference, ms', 'times as fast'], rows, 2);
}
