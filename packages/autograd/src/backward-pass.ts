import { type EagerOperations, LmdError, type NamedTensors, type Tensor } from '@lmd/core';
import type { Node } from './node.js';
import type { Recorder } from './recorder.js';
import { createUpstream, type Upstream } from './upstream.js';

/**
 * Traverses the recorded nodes in reverse and returns the gradients of `loss` with respect to `of`, zeros for tensors
 * that it does not depend on. The upstream gradient of the loss is `dy`, or 1. Each node's saved tensors and each
 * upstream gradient are freed as soon as they have been used.
 */
export function backwardPass(recorder: Recorder, loss: Tensor, of: NamedTensors, dy?: Tensor): NamedTensors {
  const { ops } = recorder;
  return ops.scope(() => {
    const targets = new Set(Object.values(of));
    const needed = dependents(recorder.nodes, targets);
    const upstream = createUpstream(ops);
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
