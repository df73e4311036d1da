import { setImmediate } from 'node:timers/promises';
import { LmdError } from '@lmd/core';
import { type TerminalOutput, terminalOutput } from '@lmd/training/node';

/** On a terminal the line is overwritten; elsewhere, such as in a log, a line is added now and then. */
const intervals = { terminal: 200, log: 5000 };

/** Reports that `done` of `total` units of work are finished, and lets pending signals arrive. */
export type Report = (done: number, total: number, what: string) => Promise<void>;

export interface ExampleProgress {
  /** For the plugins of `train`, which ends by itself when the signal is aborted. */
  readonly show: Report;
  /** For a program's own loop: throws `INTERRUPTED` after Ctrl-C. */
  readonly report: Report;
}

export function progressOn(
  stream: TerminalOutput,
  signal: AbortSignal,
): ExampleProgress & { readonly end: () => void } {
  const out = terminalOutput(stream);
  let first: { readonly time: number; readonly done: number } | undefined;
  let shown = Number.NEGATIVE_INFINITY;
  let width = 0;
  const show: Report = async (done, total, what) => {
    // A backend that computes at once settles promises before any signal is handled.
    await setImmediate();
    const now = performance.now();
    first ??= { time: now, done };
    if (now - shown < (stream.isTTY ? intervals.terminal : intervals.log)) return;
    shown = now;
    // What comes before the first report is not the work, and the first step also compiles and allocates.
    const [seconds, part] = [(now - first.time) / 1000, done - first.done];
    const left = seconds >= 1 && part > 0 ? `, ${duration((seconds / part) * (total - done))} left` : '';
    const line = `${((100 * done) / total).toFixed(0).padStart(3)} %  ${what}${left}`;
    if (!stream.isTTY) return void out.write(`${line}\n`);
    stream.write(`\r${line.padEnd(width)}`);
    width = line.length;
  };
  return {
    show,
    async report(...given) {
      await show(...given);
      if (signal.aborted) throw new LmdError('INTERRUPTED', 'Stopped. Nothing was written.', { subject: 'signal' });
    },
    end() {
      if (width > 0) stream.write(`\r${' '.repeat(width)}\r`);
    },
  };
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
