import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import type { ResolvedLmdOptions } from './lmd-options.js';
import type { OptimizerState } from './optimizer.js';
import { checkWeights, stateName } from './state.js';

/**
 * The state before the first step, from the usual initial weights w₀ with root mean square s and the floor fraction c:
 *
 *     m± = exp(−σ²/2)·(max(±w₀, 0) + c·s),   m₀ = exp(−σ²/2)·c·s,   v± = 0
 *
 * so that the mean of the drawn weights, exp(σ²/2)·(m⁺ − m⁻), is w₀. Reads s back, once for all weights.
 */
export async function lmdInitialState(
  ops: EagerOperations,
  weights: NamedTensors,
  options: ResolvedLmdOptions,
): Promise<OptimizerState> {
  checkWeights('lmd', weights);
  checkPriorMedianNames(weights, options.priorMedian);
  const scales = await rootMeanSquares(ops, weights);
  const { noise, gradientScaling } = options.update;
  const shift = -(noise * noise) / 2;

  return ops.scope(() => {
    const tensors: Record<string, Tensor> = {};
    for (const [name, weight] of Object.entries(weights)) {
      const floor = options.priorMedianFloor * scales.get(name)!;
      const logPriorMedian = Math.log(priorMedianOf(name, options.priorMedian) ?? floor * Math.exp(shift));
      const half = (signed: Tensor) => ops.scope(() => ops.add(ops.log(ops.add(ops.maximum(signed, 0), floor)), shift));
      tensors[stateName(name, 'logPlus')] = half(weight);
      tensors[stateName(name, 'logMinus')] = ops.scope(() => half(ops.negate(weight)));
      tensors[stateName(name, 'momentumPlus')] = ops.zeros(weight.shape);
      if (gradientScaling === 'sample') tensors[stateName(name, 'momentumMinus')] = ops.zeros(weight.shape);
      tensors[stateName(name, 'logPriorMedian')] = ops.full([], logPriorMedian);
    }
    return { step: 0, tensors };
  });
}

async function rootMeanSquares(ops: EagerOperations, weights: NamedTensors): Promise<Map<string, number>> {
  const names = Object.keys(weights);
  // One readback for all: each is a round trip on a GPU.
  const stacked = ops.scope(() => {
    const means = names.map((name) =>
      ops.scope(() => ops.reshape(ops.mean(ops.multiply(weights[name]!, weights[name]!)), [1])),
    );
    return ops.concatenate(means, 0);
  });
  try {
    const means = await ops.read(stacked);
    return new Map(names.map((name, index) => [name, checkScale(name, Math.sqrt(means[index]!))]));
  } finally {
    ops.dispose(stacked);
  }
}

function checkScale(name: string, scale: number): number {
  if (scale > 0 && Number.isFinite(scale)) return scale;
  throw new LmdError(
    'INVALID_ARGUMENT',
    `lmd: the initial weights "${name}" have root mean square ${scale}, so there is no scale to start from.`,
    {
      subject: name,
      value: scale,
      remedy: `Initialise "${name}" with finite values that are not all 0, or put it into an AdamW group with parameterGroups.`,
    },
  );
}

function priorMedianOf(name: string, priorMedian: ResolvedLmdOptions['priorMedian']): number | undefined {
  if (typeof priorMedian !== 'object') return priorMedian;
  return Object.hasOwn(priorMedian, name) ? priorMedian[name] : undefined;
}

function checkPriorMedianNames(weights: NamedTensors, priorMedian: ResolvedLmdOptions['priorMedian']): void {
  if (typeof priorMedian !== 'object') return;
  for (const name of Object.keys(priorMedian)) {
    if (Object.hasOwn(weights, name)) continue;
    throw new LmdError('INVALID_ARGUMENT', `lmd: priorMedian names "${name}", which is no weight given to it.`, {
      subject: name,
      value: priorMedian[name],
      remedy: `The weights are: ${Object.keys(weights).join(', ')}.`,
    });
  }
}
