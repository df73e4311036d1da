import { type Backend, binaryNames, comparisonNames, type Primitives, unaryNames } from '@lmd/core';

/** The names of all primitive operations. */
export const primitiveNames = [
  ...unaryNames,
  ...binaryNames,
  ...comparisonNames,
  'fromData',
  'full',
  'read',
  'dispose',
  'cast',
  'where',
  'sum',
  'max',
  'argMax',
  'matmul',
  'reshape',
  'transpose',
  'slice',
  'concatenate',
  'broadcastTo',
  'pad',
  'gather',
  'scatterAdd',
  'randomBits',
  'randomUniform',
  'randomNormal',
] as const satisfies readonly (keyof Primitives)[];

/** The same backend as far as core's compositions can see: its primitives alone. */
export function withoutFusedKernels(backend: Backend): Backend {
  return Object.create(backend, {
    ...Object.fromEntries(
      // Bound, because a backend may be an instance of a class with private fields.
      primitiveNames.map((name) => [name, { value: (backend[name] as (...args: unknown[]) => unknown).bind(backend) }]),
    ),
    memory: { value: () => backend.memory() },
    fused: { value: {} },
  }) as Backend;
}
