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

/** The operations of one test, and what it still holds of them, to be freed at its end, also when it fails. */
export interface Session {
  readonly ops: EagerOperations;
  own<T extends NamedTensors>(tensors: T): T;
  close(): void;
}

export function openSession(ops: EagerOperations): Session {
  const owned: Tensor[] = [];
  return {
    ops,
    own(tensors) {
      owned.push(...Object.values(tensors));
      return tensors;
    },
    // Each once, or the error of a test would be hidden by that of its end.
    close: () => ops.dispose([...new Set(owned)].filter((tensor) => !ops.isDisposed(tensor))),
  };
}

/** The state before the first step. The initial weights are freed. */
export async function begin({ ops, own }: Session, rule: Optimizer, target = plainTarget): Promise<OptimizerState> {
  const weights = ops.scope(() => target.initialWeights(ops));
  try {
    const state = await rule.init(ops, weights);
    own(state.tensors);
    return state;
  } finally {
    ops.dispose(weights);
  }
}

/** The passes of one step: as many draws as the rule asks for, each with the target's gradients there. */
export function passesOf({ ops, own }: Session, rule: Optimizer, state: OptimizerState): Pass[] {
  const passes = drawPasses(ops, rule, state, plainTarget);
  for (const { gradients } of passes) own(gradients);
  return passes;
}

function drawPasses(ops: EagerOperations, rule: Optimizer, state: OptimizerState, target: Target): Pass[] {
  return Array.from({ length: rule.samples }, (_, sample) => {
    const key = { seed, step: state.step, sample };
    return { key, gradients: ops.scope(() => target.evaluate(ops, rule.draw(ops, state, key)).gradients) };
  });
}

/** Steps from a state, which is freed. */
export function advance(
  { ops, own }: Session,
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
    current = ops.scope(() => rule.update(ops, before, change(drawPasses(ops, rule, before, target))));
    disposeState(ops, before);
  }
  own(current.tensors);
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

export function fromContents({ ops, own }: Session, contents: Contents): NamedTensors {
  return own(
    Object.fromEntries(
      Object.entries(contents).map(([name, { shape, dtype, data }]) => [name, ops.fromData(data, shape, dtype)]),
    ),
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
