import type { EagerOperations, NamedTensors } from '@lmd/core';

/**
 * The Euclidean norm of all weights together. Summed in double precision and in the order of the names, so that it does
 * not depend on the backend.
 */
export async function weightNorm(ops: EagerOperations, weights: NamedTensors): Promise<number> {
  let squares = 0;
  for (const name of Object.keys(weights).sort()) {
    for (const value of await ops.read(weights[name]!)) squares += value * value;
  }
  return Math.sqrt(squares);
}
