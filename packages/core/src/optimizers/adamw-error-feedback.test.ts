import { describe, expect, it } from 'vitest';
import { type AdamwOptions, adamw, isLmdError, type Optimizer, type OptimizerState, type Tensor } from '../index.js';
import { errorOf } from '../testing/index.js';
import { descend, follow, meanOf, randomNumbers, testOperations, values } from './test-support.js';

const ops = testOperations();

/** `optimizer` with weights that every update rounds to BF16 to nearest. */
function roundedToNearest(optimizer: Optimizer): Optimizer {
  const rounded = (state: OptimizerState): OptimizerState => ({
    ...state,
    tensors: { ...state.tensors, 'w/weight': ops.roundToBfloat16(state.tensors['w/weight']!) },
  });
  return {
    ...optimizer,
    init: async (...given) => rounded(await optimizer.init(...given)),
    update: (...given) => rounded(optimizer.update(...given)),
  };
}

describe('error feedback', () => {
  const size = 64;
  const random = randomNumbers(3);
  const goal = Array.from({ length: size }, () => 0.5 + random());
  const initial = goal.map((w) => w + 0.15 * (random() > 0.5 ? 1 : -1));
  /** Root mean square distance from the minimum of ½ |w − w*|² after 600 steps of about 5e-4. */
  const distanceOf = async (optimizer: Optimizer) => {
    const target: Tensor = ops.fromData(goal);
    const state = await descend(ops, optimizer, ops.fromData(initial), 600, (w) => ops.subtract(w, target));
    const end = await values(ops, state.tensors['w/weight']!);
    return Math.sqrt(meanOf(end.map((w, i) => (w - goal[i]!) ** 2)));
  };
  const small: AdamwOptions = { learningRate: 5e-4, weightDecay: 0 };

  it('converges where rounding to nearest stalls, about as close as f32 weights', async () => {
    const stalled = await distanceOf(roundedToNearest(adamw(small)));
    const plain = await distanceOf(adamw(small));
    const fed = await distanceOf(adamw({ ...small, weightFormat: 'bf16', errorFeedback: true }));
    // Steps of 5e-4 are below half the spacing of BF16 from 0.5 up, 2^-9; the start is 0.15 away.
    expect(stalled).toBeGreaterThan(0.1);
    expect(plain).toBeLessThan(0.006);
    expect(fed).toBeLessThan(0.01);
  });

  it('does so with compact moments, too', async () => {
    const compact = { ...small, momentFormat: 'companded8', errorFeedback: true } as const;
    expect(await distanceOf(adamw({ ...compact, weightFormat: 'split24' }))).toBeLessThan(0.006);
    // 8-bit moments round what is fed back.
    expect(await distanceOf(adamw({ ...compact, weightFormat: 'bf16' }))).toBeLessThan(0.03);
  });

  it('makes up for an error in the steps that follow', async () => {
    const options = { learningRate: 1, beta1: 0.8, epsilon: 1e3, weightDecay: 0 } as const;
    // With a large ε AdamW is gradient descent with momentum. Gradients of 1
    // once the bias correction is about 1, each a step below half the spacing of BF16, and then none.
    const gradients = Array.from({ length: 200 }, (_, step) => [step >= 60 && step < 130 ? 1 : 0]);
    const plain = (await follow(adamw(options), [1], gradients)).weight![0]!;
    const fed = (await follow(adamw({ ...options, weightFormat: 'bf16', errorFeedback: true }), [1], gradients))
      .weight![0]!;
    // A step takes 1 − β₁ of what is owed, which is rounded away below half the spacing.
    const spacing = 2 ** -8;
    expect(1 - plain).toBeGreaterThan(10 * spacing);
    expect(Math.abs(fed - plain)).toBeLessThan((0.5 / (1 - options.beta1) + 0.5) * spacing);
  });

  it('adds the rounding error to the first moment, times the factor of its derivation', async () => {
    const options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.1 } as const;
    const gradients = [[0.3, -0.2, 4, 0.01]];
    const start = [1, -2, 0.75, 3];
    const plain = await follow(adamw(options), start, gradients);
    const fed = await follow(adamw({ ...options, weightFormat: 'bf16', errorFeedback: true }), start, gradients);
    for (const [i, gradient] of gradients[0]!.entries()) {
      const error = plain.weight![i]! - fed.weight![i]!;
      expect(Math.abs(error)).toBeGreaterThan(1e-5);
      const added = ((1 - 1 / 0.9) * (1 - 0.9) * (Math.abs(gradient) + 1e-3) * error) / 1e-3;
      const difference = fed.firstMoment![i]! - plain.firstMoment![i]!;
      expect(Math.abs(difference - added)).toBeLessThan(1e-4 * Math.abs(added) + 1e-7);
    }
    expect(fed.secondMoment).toEqual(plain.secondMoment);
  });

  it.each([0, 1e-300])('adds nothing in a step with the learning rate %s', async (learningRate) => {
    const gradients = [
      [0.3, -0.2],
      [0.1, 0.1],
    ];
    const fed = adamw({ learningRate, weightFormat: 'bf16', errorFeedback: true });
    const end = await follow(fed, [1, -2], gradients);
    expect(end.weight).toEqual([1, -2]);
    expect(end.firstMoment).toEqual((await follow(adamw({ learningRate }), [1, -2], gradients)).firstMoment);
  });

  it.each<[AdamwOptions, RegExp]>([
    [{ errorFeedback: true }, /errorFeedback is true but weightFormat is "f32"/],
    [{ errorFeedback: true, weightFormat: 'bf16', beta1: 0 }, /errorFeedback is true but beta1 is 0/],
  ])('is refused with %j', (options, message) => {
    const error = errorOf(() => adamw(options));
    expect(isLmdError(error, 'INVALID_ARGUMENT') && error.message).toMatch(message);
  });
});
