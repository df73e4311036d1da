import { describe, expect, it } from 'vitest';
import { type Schedule, schedules } from './index.js';

const { constant, linear, cosine, warmup } = schedules;
const at = (schedule: Schedule, steps: readonly number[]) => steps.map((step) => schedule(step));

describe('schedules', () => {
  it('constant stays', () => {
    expect(at(constant(0.5), [0, 1, 1e9])).toEqual([0.5, 0.5, 0.5]);
  });

  it('linear goes straight, and stays at the end', () => {
    expect(at(linear({ from: 1, to: 0, steps: 4 }), [0, 1, 2, 3, 4, 5])).toEqual([1, 0.75, 0.5, 0.25, 0, 0]);
    expect(linear({ from: 0.1, to: 0.3, steps: 10 })(5)).toBeCloseTo(0.2, 15);
  });

  it('cosine follows half a period, and stays at the end', () => {
    const schedule = cosine({ from: 3, to: 1, steps: 60 });
    for (let step = 0; step <= 60; step++) {
      expect(schedule(step)).toBeCloseTo(2 + Math.cos((step / 60) * Math.PI), 14);
    }
    expect(at(schedule, [0, 60, 61, 1e6])).toEqual([3, 1, 1, 1]);
    expect(schedule(20)).toBeCloseTo(2.5, 14);
    expect(schedule(30)).toBeCloseTo(2, 14);
  });

  it('warmup rises to where the next schedule begins, and shifts it', () => {
    const schedule = warmup(4, linear({ from: 10, to: 0, steps: 10 }));
    expect(at(schedule, [0, 1, 2, 3, 4, 5, 14, 15])).toEqual([2, 4, 6, 8, 10, 9, 0, 0]);
    expect(at(warmup(0, constant(2)), [0, 1])).toEqual([2, 2]);
  });

  it('compose', () => {
    const schedule = warmup(1, warmup(1, constant(8)));
    expect(at(schedule, [0, 1, 2])).toEqual([2, 4, 8]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['constant(NaN)', () => constant(Number.NaN), /constant: value is NaN/],
    ['constant()', () => constant(undefined as never), /constant: value is/],
    ['linear without steps', () => linear({ from: 1, to: 0 } as never), /linear: steps is/],
    [
      'linear over 0 steps',
      () => linear({ from: 1, to: 0, steps: 0 }),
      /linear: steps is 0\. Use an integer at least 1/,
    ],
    ['cosine over half a step', () => cosine({ from: 1, to: 0, steps: 1.5 }), /cosine: steps is 1\.5/],
    ['cosine from infinity', () => cosine({ from: Infinity, to: 0, steps: 1 }), /cosine: from is Infinity/],
    ['an unknown option', () => cosine({ from: 1, to: 0, steps: 1, min: 0 } as never), /cosine has no option "min"/],
    ['a negative warmup', () => warmup(-1, constant(1)), /warmup: steps is -1/],
    ['a warmup to a number', () => warmup(1, 3 as never), /warmup: then is 3/],
    ['a negative step', () => constant(1)(-1), /constant: step is -1/],
    ['a fractional step', () => linear({ from: 1, to: 0, steps: 2 })(0.5), /linear: step is 0\.5/],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
