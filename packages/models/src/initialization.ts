import { checkModelOperations, type NamedTensors, type Operations, streamOf, type Tensor } from '@lmd/core';
import { modelMarker } from './made-by.js';

/** The initialization of one parameter. */
export type Initialization =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly standardDeviation: number };

export interface ParameterSpecification {
  readonly shape: readonly number[];
  readonly initialization: Initialization;
}

export const zeros: Initialization = { kind: 'constant', value: 0 };
export const ones: Initialization = { kind: 'constant', value: 1 };

export function normal(standardDeviation: number): Initialization {
  return { kind: 'normal', standardDeviation };
}

/** Preserves the variance of activations for a matrix with this number of inputs (LeCun et al. 1998). */
export function fanIn(inputs: number): Initialization {
  return normal(1 / Math.sqrt(inputs));
}

/**
 * Initializes every parameter from (seed, name), independent of the order and of other parameters. Matrices are normal,
 * never zeros, so that LMD can convert the values and their standard deviation to medians m⁺ and m⁻.
 */
export function initializeParameters(
  ops: Operations,
  parameters: { readonly [name: string]: ParameterSpecification },
  seed: number,
): NamedTensors {
  checkModelOperations(ops, { receiver: modelMarker.madeBy });
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, initialization }]): [string, Tensor] => {
      if (initialization.kind === 'constant') return [name, ops.full(shape, initialization.value)];
      const key = { seed, stream: streamOf(name), step: 0, sample: 0 };
      return [name, ops.scope(() => ops.multiply(ops.randomNormal(shape, key), initialization.standardDeviation))];
    }),
  );
}
