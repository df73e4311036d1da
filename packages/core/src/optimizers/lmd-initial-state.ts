import { LmdError } from '../errors.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';
import { checkedScales, rootMeanSquares } from './initial-scale.js';
import type { ResolvedLmdOptions } from './lmd-options.js';
import { joinParts, partsOf } from './lmd-parts.js';
import { halves, logPriorMedians } from './lmd-prior.js';
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

/** The same with known root mean squares. */
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
  const { initialization, priorMedian, stateFormat } = options;
  const { gradientScaling } = options.update;
  const noise = options.noise(0);
  const shift = -(noise * noise) / 2;

  return ops.scope(() => {
    const tensors: Record<string, Tensor> = {};
    for (const [name, weight] of Object.entries(weights)) {
      const floor = options.priorMedianFloor * scales.get(name)!;
      const logPriorMedian = ops.full([], Math.log(priorMedianOf(name, priorMedian) ?? floor * Math.exp(shift)));
      const { shape } = weight;
      const vectors = joinParts(ops, shape, partsOf(shape, stateFormat.cut), (part) => {
        const own = part.slice(ops, weight, 'vector');
        const priorWeight = priorMedian === 'initialWeights' ? { priorWeight: ops.multiply(own, Math.exp(shift)) } : {};
        const momenta = {
          momentumPlus: ops.zeros(own.shape),
          ...(gradientScaling === 'sample' ? { momentumMinus: ops.zeros(own.shape) } : {}),
        };
        const medians = halves(ops, own, floor, initialization, shift);
        const priors = logPriorMedians(ops, { logPriorMedian, ...priorWeight }, initialization);
        // To nearest: there is no draw yet whose seed could name the rounding's noise.
        return { ...stateFormat.write(ops, { ...medians, ...momenta }, priors), ...priorWeight };
      });
      for (const [vector, tensor] of Object.entries(vectors)) tensors[stateName(name, vector)] = tensor;
      tensors[stateName(name, 'logPriorMedian')] = logPriorMedian;
    }
    return { step: 0, tensors };
  });
}

function priorMedianOf(name: string, priorMedian: ResolvedLmdOptions['priorMedian']): number | undefined {
  if (typeof priorMedian === 'number') return priorMedian;
  if (typeof priorMedian !== 'object') return undefined;
  return Object.hasOwn(priorMedian, name) ? priorMedian[name] : undefined;
}

function checkPriorMedianNames(weights: NamedTensors, priorMedian: ResolvedLmdOptions['priorMedian']): void {
  if (typeof priorMedian !== 'object') return;
  for (const name of Object.keys(priorMedian)) {
    if (Object.hasOwn(weights, name)) continue;
    throw new LmdError('INVALID_ARGUMENT', `lmd: priorMedian names "${name}", which is not one of the weights.`, {
      subject: name,
      value: priorMedian[name],
      remedy: `The weights are: ${Object.keys(weights).join(', ')}.`,
    });
  }
}
