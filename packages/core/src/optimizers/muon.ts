import { LmdError } from '../errors.js';
import { boolean, choice, integer, number, schedule } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import type { NamedTensors } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { orthogonalize } from './orthogonalize.js';
import { meanGradient, movingAverage, perWeightRule, storedWeight } from './per-weight-rule.js';
import { freshHandle } from './state.js';

/** The options of `muon`, declared once. */
export const muonOptionTable = {
  /**
   * a: learning rate. With the scale `matchRms`, one that suits AdamW; with `spectral`, 0.02 is usual. A number or a
   * schedule, at least 0; default 0.001.
   */
  learningRate: schedule({
    atLeast: 0,
    default: 1e-3,
    describe: 'a: learning rate. With the scale `matchRms`, one that suits AdamW; with `spectral`, 0.02 is usual.',
  }),
  /** μ: decay rate of the moving average of the gradient. At least 0 and below 1; default 0.95. */
  momentum: number({
    atLeast: 0,
    below: 1,
    default: 0.95,
    describe: 'μ: decay rate of the moving average of the gradient.',
  }),
  /**
   * Whether the direction is μ·v + (1 − μ)·g with the new v (Nesterov momentum) instead of v. True or false; default
   * true.
   */
  nesterov: boolean({
    default: true,
    describe: 'Whether the direction is μ·v + (1 − μ)·g with the new v (Nesterov momentum) instead of v.',
  }),
  /**
   * Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay. At least 0; default 0.01.
   */
  weightDecay: number({
    atLeast: 0,
    default: 0.01,
    describe: 'Decoupled weight decay: each step multiplies the weight by 1 − learningRate·weightDecay.',
  }),
  /**
   * s: factor of the orthogonalized direction of a matrix [inputs, outputs]. `matchRms`: 0.2·√max(inputs, outputs), so
   * that the root mean square of the step is about 0.2·a, like that of AdamW (Liu et al., arXiv:2502.16982).
   * `spectral`: √max(1, outputs/inputs), of the original. `none`: 1. `matchRms`, `spectral` or `none`; default
   * `matchRms`.
   */
  scale: choice(['matchRms', 'spectral', 'none'], {
    default: 'matchRms',
    describe:
      's: factor of the orthogonalized direction of a matrix [inputs, outputs]. `matchRms`: 0.2·√max(inputs, outputs), ' +
      'so that the root mean square of the step is about 0.2·a, like that of AdamW (Liu et al., arXiv:2502.16982). ' +
      '`spectral`: √max(1, outputs/inputs), of the original. `none`: 1.',
  }),
  /**
   * Number of Newton–Schulz iterations, of three matrix products each. A whole number, at least 1 and at most 100;
   * default 5.
   */
  iterations: integer({
    atLeast: 1,
    atMost: 100,
    default: 5,
    describe: 'Number of Newton–Schulz iterations, of three matrix products each.',
  }),
  /**
   * Format of the Newton–Schulz iterations. `bf16`: every intermediate result is rounded to BF16. `f32` or `bf16`;
   * default `f32`.
   */
  iterationFormat: choice(['f32', 'bf16'], {
    default: 'f32',
    describe: 'Format of the Newton–Schulz iterations. `bf16`: every intermediate result is rounded to BF16.',
  }),
} as const satisfies OptionTable;

export interface MuonOptions extends OptionsOf<typeof muonOptionTable> {}

type Scale = NonNullable<MuonOptions['scale']>;

/**
 * Muon, momentum orthogonalized by Newton–Schulz iterations (Jordan et al. 2024, "Muon: An optimizer for hidden layers
 * in neural networks"; decoupled decay and the scale `matchRms` from Liu et al., arXiv:2502.16982):
 *
 *     v ← μ·v + (1 − μ)·g;   d = μ·v + (1 − μ)·g   (without `nesterov`: v)
 *     w ← w·(1 − a·weightDecay) − a·s·orthogonalize(d)
 *
 * With the same options it is `torch.optim.Muon`, whose matrices are [outputs, inputs]: its `adjust_lr_fn` "original"
 * is `spectral` and "match_rms_adamw" is `matchRms`. For the hidden matrices of a network: `init` throws
 * `INVALID_ARGUMENT` for a weight that is not a matrix, and embeddings and heads should go to `adamw` by
 * `parameterGroups` as well (`muonParameter` of `@lmd/models` tells them apart). State a weight: `weight`, `momentum`.
 * Additive: it draws the stored weights, and averages the gradients of several passes.
 */
export function muon(options: MuonOptions = {}): Optimizer {
  const resolved = resolveOptions('muon', muonOptionTable, options);
  const { learningRate, momentum: mu, nesterov, weightDecay, scale, iterations, iterationFormat } = resolved;

  const rule = perWeightRule({
    name: 'muon',
    vectors: ['weight', 'momentum'],
    initial: (ops, weight) => ({ weight: freshHandle(ops, weight), momentum: ops.zeros(weight.shape) }),
    ...storedWeight,
    update(step) {
      const rate = learningRate(step);
      return (ops, { weight, momentum }, passes) => {
        const gradient = meanGradient(ops, passes);
        const next = movingAverage(ops, momentum, gradient, mu);
        const moved = ops.scope(() => {
          const push = nesterov ? movingAverage(ops, next, gradient, mu) : next;
          const direction = orthogonalize(ops, push, iterations, iterationFormat);
          const size = rate * scaleOf(scale, weight.shape);
          return ops.subtract(ops.multiply(weight, 1 - rate * weightDecay), ops.multiply(direction, size));
        });
        return { weight: moved, momentum: next };
      };
    },
  });

  return {
    ...rule,
    async init(ops, weights) {
      checkMatrices(weights);
      return rule.init(ops, weights);
    },
    initFromScales(ops, weights, scales) {
      checkMatrices(weights);
      return rule.initFromScales!(ops, weights, scales);
    },
  };
}

function scaleOf(scale: Scale, shape: readonly number[]): number {
  const [inputs, outputs] = shape as readonly [number, number];
  if (scale === 'matchRms') return 0.2 * Math.sqrt(Math.max(inputs, outputs));
  return scale === 'spectral' ? Math.sqrt(Math.max(1, outputs / inputs)) : 1;
}

function checkMatrices(weights: NamedTensors): void {
  for (const [name, { shape }] of Object.entries(weights)) {
    if (shape.length === 2) continue;
    throw new LmdError('INVALID_ARGUMENT', `muon: the weight "${name}" has shape [${shape}], which is no matrix.`, {
      subject: name,
      value: shape,
      remedy: `Use muon for weights of rank 2, and put "${name}" into an AdamW group with parameterGroups.`,
    });
  }
}
