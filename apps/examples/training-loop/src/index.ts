import { valueAndGradients } from '@lmd/autograd';
import { adamw, type EagerOperations, lmd, parameterGroups } from '@lmd/core';
import { lmdParameter, precisionPreset, vit } from '@lmd/models';

/** 16 images of 8×8 pixels in two classes: stripes that start bright, and stripes that start dark. */
function stripes(ops: EagerOperations) {
  const labels = Array.from({ length: 16 }, (_, i) => i % 2);
  const pixels = labels.flatMap((label) =>
    Array.from({ length: 64 }, (_, pixel) => (pixel % 4 < 2 === (label === 0) ? 1 : -1)),
  );
  return { images: ops.fromData(pixels, [16, 8, 8, 1]), labels: ops.fromData(Int32Array.from(labels)) };
}

/**
 * Trains a small Vision Transformer without `@lmd/training`: draw → forward → loss → backward → update.
 *
 * @returns the loss of each step, in nats.
 */
export async function trainStripes(ops: EagerOperations, steps: number, seed: number): Promise<number[]> {
  const model = vit({
    imageSize: 8,
    channels: 1,
    classes: 2,
    patchSize: 4,
    width: 32,
    depth: 1,
    heads: 1,
    pooling: 'mean',
  });
  // LMD trains matrices and embeddings. AdamW trains biases and norm gains, which are initialized to constants.
  const optimizer = parameterGroups([
    { match: lmdParameter, optimizer: lmd({ learningRate: 0.02 }) },
    { match: '*', optimizer: adamw({ learningRate: 0.005 }) },
  ]);
  const precision = precisionPreset('mxfp6_e3m2');
  const { images, labels } = stripes(ops);
  const initial = model.initialize(ops, seed);
  let state = await optimizer.init(ops, initial);
  ops.dispose(initial);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    // The key determines the noise of a step: the same key gives the same draw.
    const key = { seed, step, sample: 0 };
    const weights = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, weights, (ops, weights) => {
      const logits = model.forward(ops, weights, images, { training: true, precision, key });
      return ops.mean(ops.crossEntropy(logits, labels));
    });
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    losses.push((await ops.read(value))[0]!);
    ops.dispose([value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
    state = next;
  }
  ops.dispose([images, labels, ...Object.values(state.tensors)]);
  return losses;
}
