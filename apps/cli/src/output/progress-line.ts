import { count, duration } from './units.js';

export interface Progress {
  readonly optimizer: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Name of the examples, in the plural. */
  readonly examples: string;
  readonly secondsLeft: number;
}

const widestBar = 30;
const narrowestBar = 8;

/** A progress bar: `█` for the completed part, `░` for the rest. */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** One line of progress, at most `columns` long: first the bar shrinks, then it is omitted, then the text is cut. */
export function progressLine(progress: Progress, columns: number): string {
  const { optimizer, step, steps, loss, examplesPerSecond, examples, secondsLeft } = progress;
  const width = String(steps).length;
  const numbers = [
    `${String(step).padStart(width)}/${steps}`,
    `loss ${loss.toFixed(4)}`,
    `${count(examplesPerSecond)} ${examples}/s`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
  const room = columns - optimizer.length - numbers.length - 4;
  const barWidth = Math.min(widestBar, room);
  const line =
    barWidth < narrowestBar ? `${optimizer}  ${numbers}` : `${optimizer}  ${bar(step / steps, barWidth)}  ${numbers}`;
  return line.slice(0, Math.max(0, columns));
}
