import {
  disposeState,
  type EagerOperations,
  type NamedTensors,
  type Optimizer,
  type OptimizerState,
  type Pass,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import { type Target, targets } from './targets.js';

export const seed = 7;

/** The target that tests of anything but convergence run on: a matrix and a vector. */
export const plainTarget: Target = targets[0]!;

/** The state before the first step. The initial weights are freed. */
export async function begin(ops: EagerOperations, rule: Optimizer, target = plainTarget): Promise<OptimizerState> {
  const weights = ops.scope(() => target.initialWeights(ops));
  try {
    return await rule.init(ops, weights);
  } finally {
    ops.dispose(weights);
  }
}

/** The passes of one step: as many draws as the rule asks for, each with the target's gradients there. */
export function passesOf(ops: EagerOperations, rule: Optimizer, state: OptimizerState, target = plainTarget): Pass[] {
  return Array.from({ length: rule.samples }, (_, sample) => {
    const key = { seed, step: state.step, sample };
    return { key, gradients: ops.scope(() => target.evaluate(ops, rule.draw(ops, state, key)).gradients) };
  });
}

/** Steps from a state, which is freed. */
export function advance(
  ops: EagerOperations,
  rule: Optimizer,
  state: OptimizerState,
  steps: number,
  {
    target = plainTarget,
    change = (passes: Pass[]) => passes,
  }: { target?: Target; change?: (passes: Pass[]) => Pass[] } = {},
): OptimizerState {
  let current = state;
  for (let step = 0; step < steps; step++) {
    const before = current;
    current = ops.scope(() => rule.update(ops, before, change(passesOf(ops, rule, before, target))));
    disposeState(ops, before);
  }
  return current;
}

/** The contents of tensors, with their shapes and types: what a checkpoint holds. */
export type Contents = {
  readonly [name: string]: { shape: readonly number[]; dtype: Tensor['dtype']; data: TensorData };
};

export async function contentsOf(ops: EagerOperations, tensors: NamedTensors): Promise<Contents> {
  const contents: Record<string, Contents[string]> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    contents[name] = { shape: tensor.shape, dtype: tensor.dtype, data: await ops.read(tensor) };
  }
  return contents;
}

export function fromContents(ops: EagerOperations, contents: Contents): NamedTensors {
  return Object.fromEntries(
    Object.entries(contents).map(([name, { shape, dtype, data }]) => [name, ops.fromData(data, shape, dtype)]),
  );
}

/** What differs between names, shapes and types, if anything. */
export function layoutDifference(got: Contents | NamedTensors, want: Contents | NamedTensors): string | undefined {
  const layout = (of: Contents | NamedTensors) =>
    Object.entries(of)
      .map(([name, { shape, dtype }]) => `${name} ${dtype} [${shape}]`)
      .sort()
      .join(', ');
  return layout(got) === layout(want) ? undefined : `${layout(got)}; expected ${layout(want)}`;
}

/** What differs at all, to the bit, if anything. */
export function bitDifference(got: Contents, want: Contents): string | undefined {
  const layout = layoutDifference(got, want);
  if (layout !== undefined) return layout;
  for (const [name, { data }] of Object.entries(want)) {
    const other = got[name]!.data;
    for (const [i, value] of data.entries()) {
      if (!Object.is(other[i], value)) return `element ${i} of ${name} is ${other[i]}, expected ${value}`;
    }
  }
  return undefined;
}
