import type { EagerOperations, NamedTensors, Pass, Tensor } from '@lmd/core';

/** Reads f32 tensors, in their order. */
export async function readAll(ops: EagerOperations, tensors: readonly Tensor[]): Promise<Float32Array[]> {
  const values: Float32Array[] = [];
  for (const tensor of tensors) values.push((await ops.read(tensor)) as Float32Array);
  return values;
}

/** Passes with the same keys and new gradients, whose values are in the order of the given ones. */
export function replaced(ops: EagerOperations, passes: readonly Pass[], values: readonly Float32Array[]): Pass[] {
  let index = 0;
  return passes.map(({ key, gradients }) => {
    const next: Record<string, Tensor> = {};
    for (const [name, { shape }] of Object.entries(gradients)) next[name] = ops.fromData(values[index++]!, shape);
    return { key, gradients: next satisfies NamedTensors };
  });
}
