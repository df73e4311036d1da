import { type EagerOperations, LmdError, type NamedTensors, type Tensor } from '@lmd/core';
import type { Node } from './node.js';
import type { Recorder } from './recorder.js';
import { createUpstream, type Upstream } from './upstream.js';

export interface BackwardOptions {
  /** The upstream gradient of the loss; default 1. */
  readonly dy?: Tensor | undefined;
  /**
   * Called with a gradient of `of` as soon as nothing more is added to it, while the pass goes on. The tensor remains
   * that of the pass. Not called for one that is zero since the loss does not depend on it.
   */
  readonly onGradient?: OnGradient | undefined;
}

/** Receives a gradient by the name of its tensor. */
export type OnGradient = (name: string, gradient: Tensor) => void;

/**
 * Traverses the recorded nodes in reverse and returns the gradients of `loss` with respect to `of`, zeros for tensors
 * that it does not depend on. The upstream gradient of the loss is `dy`, or 1. Each node's saved tensors and each
 * upstream gradient are freed as soon as they have been used.
 */
export function backwardPass(
  recorder: Recorder,
  loss: Tensor,
  of: NamedTensors,
  { dy, onGradient }: BackwardOptions = {},
): NamedTensors {
  const { ops } = recorder;
  return ops.scope(() => {
    const targets = new Set(Object.values(of));
    const needed = dependents(recorder.nodes, targets);
    const upstream = createUpstream(ops);
    const complete = onGradient === undefined ? undefined : completions(recorder.nodes, of);
    // The pass frees what it has used, so it gets an alias of the caller's tensor.
    if (needed.has(loss)) upstream.add(loss, dy === undefined ? ops.full([], 1) : ops.reshape(dy, dy.shape));
    for (let index = recorder.nodes.length - 1; index >= 0; index -= 1) {
      const node = recorder.nodes[index]!;
      const outputGradient = upstream.get(node.output);
      if (outputGradient !== undefined) {
        const needsGradient = node.inputs.map((input) => input !== null && needed.has(input));
        const gradients = runNode(ops, node, outputGradient, needsGradient);
        const made = new Set(gradients.filter((gradient) => gradient !== null));
        made.forEach(upstream.retain);
        node.inputs.forEach((input, i) => {
          const gradient = gradients[i];
          if (input === null || !needsGradient[i] || gradient == null) return;
          if (node.sliceAt === undefined) upstream.add(input, gradient);
          else upstream.addSlice(input, gradient, node.sliceAt);
        });
        made.forEach(upstream.release);
        if (!targets.has(node.output)) upstream.remove(node.output);
      }
      recorder.releaseNode(node);
      for (const name of complete?.get(index) ?? []) {
        const gradient = upstream.get(of[name]!);
        if (gradient !== undefined) onGradient!(name, gradient);
      }
    }
    return collect(ops, upstream, of);
  });
}

/** The tensors on paths from the loss to `targets`, including these. The rest of the tape is not traversed. */
function dependents(nodes: readonly Node[], targets: ReadonlySet<Tensor>): Set<Tensor> {
  const needed = new Set(targets);
  for (const node of nodes) {
    if (node.inputs.some((input) => input !== null && needed.has(input))) needed.add(node.output);
  }
  return needed;
}

/** The names of the tensors by the first node that uses them, which is the last one that adds to their gradient. */
function completions(nodes: readonly Node[], of: NamedTensors): Map<number, string[]> {
  const names = new Map<Tensor, string[]>();
  for (const [name, x] of Object.entries(of)) names.set(x, [...(names.get(x) ?? []), name]);
  const complete = new Map<number, string[]>();
  for (const [index, { inputs }] of nodes.entries()) {
    for (const input of inputs) {
      const found = input === null ? undefined : names.get(input);
      if (found === undefined) continue;
      names.delete(input!);
      complete.set(index, [...(complete.get(index) ?? []), ...found]);
    }
  }
  return complete;
}

function runNode(
  ops: EagerOperations,
  node: Node,
  dy: Tensor,
  needsGradient: readonly boolean[],
): readonly (Tensor | null)[] {
  for (const tensor of node.saved) {
    if (!ops.isDisposed(tensor)) continue;
    throw new LmdError(
      'TENSOR_DISPOSED',
      `The gradient of ${node.operation} needs a tensor of shape [${tensor.shape}] that was freed before the ` +
        'backward pass.',
      {
        subject: node.operation,
        value: tensor.shape,
        remedy: 'Use scope and dispose of tape.ops, and do not free weights and batches before gradients() returns.',
      },
    );
  }
  return ops.scope(() => node.gradients(dy, needsGradient));
}

/** A separate handle for each name. */
function collect(ops: EagerOperations, upstream: Upstream, of: NamedTensors): NamedTensors {
  const given = new Set<Tensor>();
  return Object.fromEntries(
    Object.entries(of).map(([name, x]) => {
      const gradient = upstream.get(x) ?? ops.zeros(x.shape);
      const own = given.has(gradient) ? ops.reshape(gradient, gradient.shape) : gradient;
      given.add(own);
      return [name, own];
    }),
  );
}
