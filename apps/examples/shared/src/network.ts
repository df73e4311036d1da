import { valueAndGradients } from '@lmd/autograd';
import {
  type DrawKey,
  type EagerOperations,
  LmdError,
  type NamedTensors,
  type Operations,
  type Optimizer,
  type OptimizerState,
  type Tensor,
} from '@lmd/core';
import { batchOf, type Pictures } from './pictures.js';

/** A fully connected network without biases, so that the input of a product is all that a step of its weight uses. */
export interface Network {
  /** Shapes [inputs, outputs] of the weights, in the order of the forward pass. */
  readonly shapes: { readonly [name: string]: readonly [number, number] };
  initialize(ops: Operations, seed: number): NamedTensors;
  /** Logits [examples, classes] of x [examples, inputs], and the input of each product by the name of its weight. */
  forward(
    ops: Operations,
    weights: NamedTensors,
    x: Tensor,
  ): { readonly logits: Tensor; readonly inputs: NamedTensors };
}

export function network(sizes: readonly number[]): Network {
  const layers = sizes.slice(1).map((outputs, i) => [`layer${i + 1}`, [sizes[i]!, outputs]] as const);
  return {
    shapes: Object.fromEntries(layers),
    initialize: (ops, seed) =>
      ops.scope(() =>
        Object.fromEntries(
          layers.map(([name, shape], stream) => {
            const normal = ops.randomNormal(shape, { seed, stream, step: 0, sample: 0 });
            return [name, ops.multiply(normal, Math.sqrt(1 / shape[0]))];
          }),
        ),
      ),
    forward(ops, weights, x) {
      if (x.shape.length !== 2 || x.shape[1] !== sizes[0]) {
        throw new LmdError(
          'SHAPE_MISMATCH',
          `x has shape [${x.shape}], but the network needs [examples, ${sizes[0]}].`,
          {
            subject: 'x',
            value: x.shape,
            remedy: 'Resize the pictures, or make a network for their size.',
          },
        );
      }
      const inputs: Record<string, Tensor> = {};
      let y = x;
      for (const [i, [name]] of layers.entries()) {
        inputs[name] = y;
        y = ops.matmul(y, weights[name]!);
        if (i < layers.length - 1) y = ops.gelu(y);
      }
      return { logits: y, inputs };
    },
  };
}

/**
 * One step on the pictures at `indices`: draw → forward → loss → backward → update. The caller still frees `state`.
 *
 * @param effective the weights of the network from those that the optimizer draws, by default these.
 */
export function trainingStep(
  ops: EagerOperations,
  { forward }: Network,
  optimizer: Optimizer,
  state: OptimizerState,
  { pictures, indices, key }: { readonly pictures: Pictures; readonly indices: Int32Array; readonly key: DrawKey },
  effective: (ops: Operations, drawn: NamedTensors) => NamedTensors = (_, drawn) => drawn,
): OptimizerState {
  return ops.scope(() => {
    const { x, labels } = batchOf(ops, pictures, indices);
    const { gradients } = valueAndGradients(ops, optimizer.draw(ops, state, key), (ops, drawn) =>
      ops.mean(ops.crossEntropy(forward(ops, effective(ops, drawn), x).logits, labels)),
    );
    return optimizer.update(ops, state, [{ key, gradients }]);
  });
}

/** Examples tested at once. */
const testBatch = 2000;

/** The fraction of the pictures that a network classifies correctly. */
export async function accuracyOf(
  ops: EagerOperations,
  network: Network,
  weights: NamedTensors,
  { images, labels, pixels }: Pictures,
): Promise<number> {
  let correct = 0;
  for (let from = 0; from < labels.length; from += testBatch) {
    const to = Math.min(from + testBatch, labels.length);
    const predicted = ops.scope(() => {
      const x = ops.fromData(images.subarray(from * pixels, to * pixels), [to - from, pixels]);
      return ops.argMax(network.forward(ops, weights, x).logits);
    });
    const classes = await ops.read(predicted);
    ops.dispose(predicted);
    for (const [row, label] of labels.subarray(from, to).entries()) if (classes[row] === label) correct += 1;
  }
  return correct / labels.length;
}
