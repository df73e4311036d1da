import { describe, expect, it } from 'vitest';
import { type AdamwOptions, adamw, disposeState, schedules } from '../index.js';
import {
  allValues,
  expectClose,
  pass,
  randomNumbers,
  reloaded,
  tensors,
  testOperations,
  values,
} from './test-support.js';

/** Options of AdamW in f32, all given. */
type Formula = Required<Omit<AdamwOptions, 'weightFormat' | 'momentFormat' | 'errorFeedback'>>;

/** AdamW in plain float64, after the pseudocode in PyTorch's documentation of `torch.optim.AdamW`. */
function referenceAdamw(initial: readonly number[], gradients: readonly (readonly number[])[], options: Formula) {
  const weight = [...initial];
  const first = initial.map(() => 0);
  const second = initial.map(() => 0);
  for (const [index, gradient] of gradients.entries()) {
    const t = index + 1;
    const rate = typeof options.learningRate === 'number' ? options.learningRate : options.learningRate(index);
    for (const [i, g] of gradient.entries()) {
      weight[i]! -= rate * options.weightDecay * weight[i]!;
      first[i] = options.beta1 * first[i]! + (1 - options.beta1) * g;
      second[i] = options.beta2 * second[i]! + (1 - options.beta2) * g * g;
      const correctedFirst = first[i]! / (1 - options.beta1 ** t);
      const correctedSecond = second[i]! / (1 - options.beta2 ** t);
      weight[i]! -= (rate * correctedFirst) / (Math.sqrt(correctedSecond) + options.epsilon);
    }
  }
  return { weight, first, second };
}

describe('adamw', () => {
  const random = randomNumbers(7);
  const initial = Array.from({ length: 12 }, () => random() * 2 - 1);
  const gradients = Array.from({ length: 20 }, () => initial.map(() => (random() - 0.5) * 10 ** (4 * random() - 3)));

  it.each<[string, Formula]>([
    ['the defaults', { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }],
    [
      'strong decay and a schedule',
      {
        learningRate: schedules.cosine({ from: 0.1, to: 0.01, steps: 15 }),
        beta1: 0.5,
        beta2: 0.95,
        epsilon: 1e-3,
        weightDecay: 0.3,
      },
    ],
    ['no momentum', { learningRate: 0.01, beta1: 0, beta2: 0, epsilon: 1e-6, weightDecay: 0 }],
  ])('follows the published formula for 20 steps: %s', async (name, options) => {
    const ops = testOperations();
    const rule = adamw(name === 'the defaults' ? {} : options);
    const weights = tensors(ops, { w: initial });
    let state = await rule.init(ops, weights);
    ops.dispose(weights);
    for (const [step, gradient] of gradients.entries()) {
      const before = state;
      const given = tensors(ops, { w: gradient });
      state = rule.update(ops, state, [pass(given, step)]);
      ops.dispose(given);
      disposeState(ops, before);
    }
    const expected = referenceAdamw(initial, gradients, options);
    expect(state.step).toBe(20);
    expectClose(await values(ops, state.tensors['w/weight']!), expected.weight, 2e-6, 1e-6);
    expectClose(await values(ops, state.tensors['w/firstMoment']!), expected.first, 1e-5, 1e-7);
    expectClose(await values(ops, state.tensors['w/secondMoment']!), expected.second, 1e-5, 1e-9);
    disposeState(ops, state);
    expect(ops.memory().tensors).toBe(0);
  });

  it('averages the gradients of several passes', async () => {
    const ops = testOperations();
    const rule = adamw({ learningRate: 0.1 });
    const state = await rule.init(ops, tensors(ops, { w: [1, 2] }));
    const two = rule.update(ops, state, [
      pass(tensors(ops, { w: [1, -4] }), 0, 0),
      pass(tensors(ops, { w: [3, 2] }), 0, 1),
    ]);
    const one = rule.update(ops, state, [pass(tensors(ops, { w: [2, -1] }))]);
    expect(await allValues(ops, two.tensors)).toEqual(await allValues(ops, one.tensors));
  });

  it('draws and evaluates the stored weights, in handles of their own', async () => {
    const ops = testOperations();
    const rule = adamw();
    const state = await rule.init(ops, tensors(ops, { w: [1, -2] }));
    for (const kind of ['mean', 'median', 'sample'] as const) {
      const weights = rule.weights(ops, state, kind);
      expect(await allValues(ops, weights)).toEqual({ w: [1, -2] });
      ops.dispose(weights);
    }
    const drawn = rule.draw(ops, state, { seed: 1, step: 0, sample: 0 });
    disposeState(ops, state);
    expect(await allValues(ops, drawn)).toEqual({ w: [1, -2] });
  });

  it('resumes from a copied state to the same bits', async () => {
    const ops = testOperations();
    const rule = adamw();
    const run = async (state: Awaited<ReturnType<typeof rule.init>>, from: number, to: number) => {
      let current = state;
      for (let step = from; step < to; step++) {
        current = rule.update(ops, current, [pass(tensors(ops, { w: gradients[step]! }), step)]);
      }
      return current;
    };
    const start = await rule.init(ops, tensors(ops, { w: initial }));
    const half = await run(start, 0, 8);
    const whole = await run(half, 8, 16);
    const resumed = await run(await reloaded(ops, half, ops), 8, 16);
    expect(await allValues(ops, resumed.tensors)).toEqual(await allValues(ops, whole.tensors));
  });

  it('leaks nothing', async () => {
    const ops = testOperations();
    const rule = adamw();
    const weights = tensors(ops, { a: [1, 2], b: [3] });
    const state = await rule.init(ops, weights);
    expect(ops.memory().tensors).toBe(2 + 6);
    const gradient = tensors(ops, { a: [1, 1], b: [1] });
    const next = rule.update(ops, state, [pass(gradient), pass(gradient)]);
    expect(ops.memory().tensors).toBe(2 + 6 + 2 + 6);
    disposeState(ops, state);
    expect((await values(ops, next.tensors['b/weight']!))[0]).toBeLessThan(3);
    disposeState(ops, next);
    ops.dispose(gradient);
    ops.dispose(weights);
    expect(ops.memory().tensors).toBe(0);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { lr: 1 }, /adamw has no option "lr"\. Its options are learningRate, beta1/],
    ['no record', 0.1, /adamw: the options are 0\.1/],
    ['a negative learning rate', { learningRate: -1 }, /learningRate is -1\. Use a finite number at least 0/],
    ['a learning rate that is text', { learningRate: '1e-3' }, /learningRate is "1e-3"/],
    ['beta1 = 1', { beta1: 1 }, /beta1 is 1\. Use a finite number at least 0 and below 1/],
    ['beta2 < 0', { beta2: -0.1 }, /beta2 is -0\.1/],
    ['epsilon = 0', { epsilon: 0 }, /epsilon is 0\. Use a finite number above 0/],
    ['infinite decay', { weightDecay: Infinity }, /weightDecay is Infinity/],
  ])('refuses %s', (_, options, message) => {
    expect(() => adamw(options as never)).toThrow(message);
  });

  it('names the step at which a schedule fails', async () => {
    const ops = testOperations();
    const rule = adamw({ learningRate: (step) => (step < 1 ? 0.1 : Number.NaN) });
    const state = await rule.init(ops, tensors(ops, { w: [1] }));
    const next = rule.update(ops, state, [pass(tensors(ops, { w: [1] }))]);
    expect(() => rule.update(ops, next, [pass(tensors(ops, { w: [1] }), 1)])).toThrow(/learningRate\(1\) is NaN/);
  });

  it('names the weight whose gradient is missing, of another shape, or of no weight', async () => {
    const ops = testOperations();
    const rule = adamw();
    const state = await rule.init(ops, tensors(ops, { a: [1], b: [1, 2] }));
    const update = (gradients: Record<string, readonly number[]>) => () =>
      rule.update(ops, state, [pass(tensors(ops, gradients))]);
    expect(update({ a: [1] })).toThrow(/no gradient for the weight "b"/);
    expect(update({ a: [1], b: [1] })).toThrow(/gradient of "b" has shape \[1\], the weight \[2\]/);
    expect(update({ a: [1], b: [1, 2], c: [1] })).toThrow(/a gradient for "c", which is not in the state/);
    expect(() => rule.update(ops, state, [])).toThrow(/0 passes/);
    expect(() => rule.weights(ops, state, 'mode' as never)).toThrow(/kind is "mode"/);
    await expect(rule.init(ops, {})).rejects.toThrow(/no weights/);
    await expect(rule.init(ops, { w: ops.full([2], 1, 'i32') })).rejects.toThrow(/weight "w" is i32/);
  });
});
