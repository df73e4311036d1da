import { describeValue as describe, LmdError } from '../errors.js';
import { numberOption } from '../options/checks.js';
import type { Schedule } from '../options/schedule.js';
import { refuseUnknownOptions } from '../options/unknown-option.js';

/** The same value at every step. */
export function constant(value: number): Schedule {
  const checked = numberOption('constant', 'value', value, {});
  return (step) => {
    checkStep('constant', step);
    return checked;
  };
}

export interface DecayOptions {
  /** The value at step 0. */
  readonly from: number;
  /** The value at step `steps` and after. */
  readonly to: number;
  /** Number of steps of the decay; at least 1. */
  readonly steps: number;
}

/** from + (to − from)·step/steps, then `to`. */
export function linear(options: DecayOptions): Schedule {
  const { from, to, steps } = checkDecay('linear', options);
  return (step) => {
    checkStep('linear', step);
    if (step >= steps) return to;
    return from + ((to - from) * step) / steps;
  };
}

/**
 * to + (from − to)·(1 + cos(π·step/steps))/2, then `to`: one half-period, without restarts (arXiv:1608.03983, equation
 * 5).
 */
export function cosine(options: DecayOptions): Schedule {
  const { from, to, steps } = checkDecay('cosine', options);
  return (step) => {
    checkStep('cosine', step);
    if (step >= steps) return to;
    return to + ((from - to) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  };
}

/**
 * Linear warm-up for `steps` steps to the start of `then`: then(0)·(step + 1)/(steps + 1); from step `steps` on,
 * `then`, counted from 0. The learning rate is above 0 in the first step, and no value is repeated.
 */
export function warmup(steps: number, then: Schedule): Schedule {
  const count = numberOption('warmup', 'steps', steps, { atLeast: 0, integer: true });
  if (typeof then !== 'function') {
    throw new LmdError('INVALID_ARGUMENT', `warmup: then is ${describe(then)}.`, {
      subject: 'then',
      value: then,
      remedy: 'Pass the schedule that follows, such as constant(3e-3) or cosine({ from, to, steps }).',
    });
  }
  return (step) => {
    checkStep('warmup', step);
    return step < count ? (then(0) * (step + 1)) / (count + 1) : then(step - count);
  };
}

function checkDecay(owner: string, options: DecayOptions): DecayOptions {
  refuseUnknownOptions(owner, options, ['from', 'to', 'steps']);
  return {
    from: numberOption(owner, 'from', options.from, {}),
    to: numberOption(owner, 'to', options.to, {}),
    steps: numberOption(owner, 'steps', options.steps, { atLeast: 1, integer: true }),
  };
}

function checkStep(owner: string, step: number): void {
  if (Number.isSafeInteger(step) && step >= 0) return;
  throw new LmdError('INVALID_ARGUMENT', `${owner}: step is ${describe(step)}.`, {
    subject: 'step',
    value: step,
    remedy: 'Steps are integers, counted from 0.',
  });
}
