import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { checkedScales, rootMeanSquares } from './initial-scale.js';
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
  return stateFrom(ops, weights, await rootMeanSquares('lmd', ops, weights), options);
}

/** The same from root mean squares that are known. */
export function lmdInitialStateFromScales(
  ops: EagerOperations,
  weights: NamedTensors,
  scales: ReadonlyMap<string, number>,
  options: ResolvedLmdOptions,
): OptimizerState {
  checkWeights('lmd', weights);
  checkPriorMedianNames(weights, options.priorMedian);
  return stateFrom(ops, weights, checkedScales('lmd', weights, scales), options);
}

function stateFrom(
  ops: EagerOperations,
  weights: NamedTensors,
  scales: ReadonlyMap<string, number>,
  options: ResolvedLmdOptions,
): OptimizerState {
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
