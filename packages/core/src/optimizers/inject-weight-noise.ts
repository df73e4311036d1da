import { checkOptimizer } from '../contracts.js';
import type { EagerOperations } from '../operations.js';
import { number } from '../options/declare.js';
import type { OptionsOf, OptionTable } from '../options/option.js';
import { resolveOptions } from '../options/resolve.js';
import { streamOf } from '../random/stream.js';
import type { NamedTensors } from '../tensor.js';
import { isMatrix, logNormalFactors, type WeightMatch } from '../weight-faults.js';
import { optimizerMarker } from './marker.js';
import type { DrawKey, Optimizer } from './optimizer.js';

/** The options of `injectWeightNoise`, declared once. */
export const weightNoiseOptionTable = {
  /**
   * σ: weight noise in training. Forward passes see the matrices times exp(σ·e − σ²/2), e ~ N(0, 1). Default: none. LMD
   * has noise of its own, `noise`. Above 0.
   */
  weightNoise: number({
    above: 0,
    describe:
      'σ: weight noise in training. Forward passes see the matrices times exp(σ·e − σ²/2), e ~ N(0, 1). Default: ' +
      'none. LMD has noise of its own, `noise`.',
  }),
} as const satisfies OptionTable;

export interface WeightNoiseOptions extends OptionsOf<typeof weightNoiseOptionTable> {}

/**
 * Injects multiplicative log-normal noise of mean 1 into the matrices of each forward pass of any optimizer: training
 * for analog memory, whose conductances vary (as in arXiv:1906.03138 with normal noise), and for rules without a
 * posterior the fair rival of LMD's sampled weights. The gradient is that of the stored weight, ∂loss/∂w =
 * (∂loss/∂w̃)·exp(σ·e − σ²/2). The noise is a function of (seed, step, sample) and the name of the weight.
 *
 * `mean` and `median` weights are those of the optimizer, a `sample` has noise.
 *
 * @param match chooses the weights with noise. Default: those of at least two dimensions.
 * @throws LmdError `INVALID_ARGUMENT` for a deviation that is not above 0 or not finite.
 */
export function injectWeightNoise(
  optimizer: Optimizer,
  options: WeightNoiseOptions,
  match: WeightMatch = isMatrix,
): Optimizer {
  const { weightNoise } = resolveOptions('injectWeightNoise', weightNoiseOptionTable, options);
  checkOptimizer(optimizer, { subject: 'injectWeightNoise: optimizer' });
  if (weightNoise === undefined) return optimizer;

  /** Of the tensors that `match` chooses, times the noise of their weight in this sample. */
  function noisy(ops: EagerOperations, tensors: NamedTensors, key: DrawKey): NamedTensors {
    const chosen = Object.entries(tensors).filter(([name, { shape }]) => match(name, shape));
    return ops.scope(() =>
      Object.fromEntries(
        chosen.map(([name, tensor]) => {
          const noiseKey = { ...key, stream: streamOf(`${name}/weightNoise`) };
          return [
            name,
            ops.scope(() => ops.multiply(tensor, logNormalFactors(ops, tensor.shape, weightNoise!, noiseKey))),
          ];
        }),
      ),
    );
  }

  function noisyWeights(ops: EagerOperations, weights: NamedTensors, key: DrawKey): NamedTensors {
    const changed = noisy(ops, weights, key);
    ops.dispose(Object.fromEntries(Object.keys(changed).map((name) => [name, weights[name]!])));
    return { ...weights, ...changed };
  }

  return {
    ...optimizerMarker,
    name: `injectWeightNoise(${optimizer.name})`,
    samples: optimizer.samples,
    init: (ops, weights) => optimizer.init(ops, weights),
    ...(optimizer.positions === undefined ? {} : { positions: optimizer.positions }),
    draw: (ops, state, key) => ops.scope(() => noisyWeights(ops, optimizer.draw(ops, state, key), key)),
    weights: (ops, state, kind, key) =>
      ops.scope(() => {
        const weights = optimizer.weights(ops, state, kind, key);
        return kind === 'sample' && key !== undefined ? noisyWeights(ops, weights, key) : weights;
      }),
    update(ops, state, passes, done) {
      return ops.scope(() => {
        const changed = passes.map(({ key, gradients }) => noisy(ops, gradients, key));
        const given = passes.map(({ key, gradients }, index) => ({
          key,
          gradients: { ...gradients, ...changed[index] },
        }));
        return optimizer.update(ops, state, given, (weight) => {
          for (const copies of changed) if (copies[weight] !== undefined) ops.dispose(copies[weight]);
          done?.(weight);
        });
      });
    },
  };
}
