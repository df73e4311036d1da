import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';

export interface Progress {
  readonly step: number;
  readonly totalSteps: number;
  /** step / totalSteps. */
  readonly fraction: number;
  readonly epoch: number;
  /** Loss of the last batch, in nats. */
  readonly loss: number;
  /** Smoothed over the last steps, including the time of evaluation and saving. */
  readonly samplesPerSecond: number;
  /** Estimated time left at that speed. */
  readonly secondsLeft: number;
  /** The newest validation result. */
  readonly validation?: { readonly loss: number; readonly accuracy: number };
}

/** The options of `progress`, declared once. */
export const progressOptionTable = {
  /** Called with each report. A function. */
  onProgress: option.callback<(progress: Progress) => void>({ describe: 'Called with each report.' }),
  /**
   * Called with each report as one line of text, without a line break; the application overwrites the previous line or
   * appends. A function.
   */
  write: option.callback<(line: string) => void>({
    describe:
      'Called with each report as one line of text, without a line break; the application overwrites the ' +
      'previous line or appends.',
  }),
  /**
   * Minimum time between reports, in milliseconds; the first and the last step are always reported. At least 0; default
   * 100.
   */
  interval: option.number({
    atLeast: 0,
    default: 100,
    describe: 'Minimum time between reports, in milliseconds; the first and the last step are always reported.',
  }),
  /** Monotonic clock, in milliseconds. Default: `performance.now`. A function. */
  now: option.callback<() => number>({
    describe: 'Monotonic clock, in milliseconds. Default: `performance.now`.',
  }),
} as const satisfies OptionTable;

export interface ProgressOptions extends OptionsOf<typeof progressOptionTable> {}

/** Number of steps over which the speed is smoothed. */
const smoothing = 20;

/** Reports the progress of a run to an application. */
export function progress(options: ProgressOptions): Plugin {
  const checked = resolveOptions('progress', progressOptionTable, options);
  const { onProgress, write, interval, now = () => performance.now() } = checked;
  if (onProgress === undefined && write === undefined) {
    throw new LmdError('INVALID_ARGUMENT', 'progress has neither onProgress nor write.', {
      subject: 'onProgress',
      remedy: 'Set at least one of them.',
    });
  }
  let last: number;
  let reported: number;
  let secondsPerStep: number | undefined;
  let validation: Progress['validation'];
  return {
    ...pluginMarker,
    name: 'progress',
    start() {
      last = now();
      reported = Number.NEGATIVE_INFINITY;
      secondsPerStep = undefined;
      validation = undefined;
    },
    step({ step, epoch, loss, samples }, { totalSteps }) {
      const time = now();
      const seconds = (time - last) / 1000;
      last = time;
      secondsPerStep = secondsPerStep === undefined ? seconds : secondsPerStep + (seconds - secondsPerStep) / smoothing;
      if (time - reported < interval && step < totalSteps) return;
      reported = time;
      const report: Progress = {
        step,
        totalSteps,
        fraction: step / totalSteps,
        epoch,
        loss,
        samplesPerSecond: secondsPerStep > 0 ? samples / secondsPerStep : 0,
        secondsLeft: (totalSteps - step) * secondsPerStep,
        ...(validation === undefined ? {} : { validation }),
      };
      onProgress?.(report);
      write?.(progressLine(report));
    },
    evaluate({ split, loss, accuracy }) {
      if (split === 'validation') validation = { loss, accuracy };
    },
  };
}

/** One line: `step 120/600 (20.0 %)  loss 0.4321  accuracy 91.20 %  812 samples/s  0:42 left`. */
export function progressLine(report: Progress): string {
  const { step, totalSteps, fraction, loss, samplesPerSecond, secondsLeft, validation } = report;
  const accuracy = validation === undefined ? [] : [`accuracy ${(100 * validation.accuracy).toFixed(2)} %`];
  return [
    `step ${step}/${totalSteps} (${(100 * fraction).toFixed(1)} %)`,
    `loss ${loss.toFixed(4)}`,
    ...accuracy,
    `${samplesPerSecond < 10 ? samplesPerSecond.toFixed(1) : Math.round(samplesPerSecond)} samples/s`,
    `${duration(secondsLeft)} left`,
  ].join('  ');
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
