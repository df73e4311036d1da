import { type NamedTensors, type Operations, streamOf, type Tensor } from '@lmd/core';

/** How one parameter begins. */
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

/** Keeps the variance of what flows through a matrix with that many inputs (LeCun et al. 1998). */
export function fanIn(inputs: number): Initialization {
  return normal(1 / Math.sqrt(inputs));
}

/**
 * Draws every parameter, keyed by (seed, name): the order and the other parameters do not matter. Matrices get a normal
 * draw, none of them zeros, so that LMD can turn the draw and its standard deviation into medians m⁺ and m⁻.
 */
export function initializeParameters(
  ops: Operations,
  parameters: { readonly [name: string]: ParameterSpecification },
  seed: number,
): NamedTensors {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, initialization }]): [string, Tensor] => {
      if (initialization.kind === 'constant') return [name, ops.full(shape, initialization.value)];
      const key = { seed, stream: streamOf(name), step: 0, sample: 0 };
      return [name, ops.scope(() => ops.multiply(ops.randomNormal(shape, key), initialization.standardDeviation))];
    }),
  );
}
