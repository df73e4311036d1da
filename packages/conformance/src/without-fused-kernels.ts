import { type Backend, primitiveNames } from '@lmd/core';

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
