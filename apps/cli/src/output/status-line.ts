import type { TerminalOutput } from '@lmd/training/node';
import { bar } from './progress-line.js';
import { eraseLine } from './terminal.js';

/** One line that is redrawn, for a step that takes long. Only on a terminal. */
export interface StatusLine {
  /** `done` of `total` parts; without them, only the text. */
  show(what: string, done?: number, total?: number): void;
  clear(): void;
}

const interval = 0.1;

/** @param now a clock in seconds. */
export function statusLine(output: TerminalOutput, now = () => performance.now() / 1000): StatusLine {
  let drawnAt = Number.NEGATIVE_INFINITY;
  let shown: string | undefined;
  return {
    show(what, done, total) {
      if (output.isTTY !== true) return;
      // A new step is shown at once; the same one at most ten times a second.
      if (what === shown && now() - drawnAt < interval) return;
      drawnAt = now();
      shown = what;
      output.write(`${eraseLine}${statusText(what, done, total, (output.columns ?? 80) - 1)}`);
    },
    clear() {
      if (shown !== undefined) output.write(eraseLine);
      shown = undefined;
    },
  };
}

/** `test  ███░░░  1,000/10,000`, at most `columns` long. */
export function statusText(what: string, done: number | undefined, total: number | undefined, columns: number): string {
  if (done === undefined || total === undefined) return `${what} …`.slice(0, columns);
  const numbers = `${done.toLocaleString('en-GB')}/${total.toLocaleString('en-GB')}`;
  const width = Math.min(30, columns - what.length - numbers.length - 4);
  const text = width < 8 ? `${what}  ${numbers}` : `${what}  ${bar(done / total, width)}  ${numbers}`;
  return text.slice(0, columns);
}
