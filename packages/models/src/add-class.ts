import { type EagerOperations, LmdError, type NamedTensors, type Precision, type Tensor } from '@lmd/core';
import { fullPrecision } from './precision.js';
import { type Vit, vit } from './vit.js';

/** A classifier's last layer, features [inputs] → logits [classes]. */
export interface ClassHead {
  /** [inputs, classes], row-major. */
  readonly weight: Float32Array;
  /** [classes]. */
  readonly bias: Float32Array;
}

/**
 * The head with one more class, from the features of a few of its pictures and without training: DONE (Hosoda et al.,
 * "DONE: direct one-shot learning", arXiv:2204.13361; reconstructed from its description). The weights of the new class
 * are the mean features, with its sorted values replaced by as many quantiles of all weights of the head, so that the
 * new class is neither favoured nor disfavoured by the scale of the features. With N inputs, the i-th smallest becomes
 * the quantile (i + ½)/N of the flattened matrix (the element at ⌊(i + ½)·classes⌋ in order; equal means keep their
 * order). The new bias is the median of the biases. The other classes are unchanged.
 *
 * @param features of one picture each, [inputs].
 * @throws LmdError `INVALID_ARGUMENT` without features, `SHAPE_MISMATCH` for another number of inputs.
 */
export function imprintClass({ weight, bias }: ClassHead, features: readonly Float32Array[]): ClassHead {
  const classes = bias.length;
  const inputs = weight.length / classes;
  if (features.length === 0) {
    throw new LmdError('INVALID_ARGUMENT', 'imprintClass: there are no features.', {
      subject: 'features',
      value: features,
      remedy: 'Pass the features of at least one picture of the new class.',
    });
  }
  for (const one of features) {
    if (one.length === inputs) continue;
    throw new LmdError(
      'SHAPE_MISMATCH',
      `imprintClass: features have ${one.length} values, the head ${inputs} inputs.`,
      {
        subject: 'features',
        value: one.length,
        remedy: 'Pass the input of the head, as `features` of the model gives it.',
      },
    );
  }
  const mean = Float64Array.from({ length: inputs }, (_, i) => features.reduce((sum, one) => sum + one[i]!, 0));
  // Sorting is stable, so equal values keep their order.
  const order = [...mean.keys()].sort((a, b) => mean[a]! - mean[b]!);
  const sorted = weight.slice().sort();
  const column = new Float32Array(inputs);
  for (const [rank, input] of order.entries()) column[input] = sorted[Math.floor((rank + 0.5) * classes)]!;

  const wider = new Float32Array(inputs * (classes + 1));
  for (let input = 0; input < inputs; input += 1) {
    wider.set(weight.subarray(input * classes, (input + 1) * classes), input * (classes + 1));
    wider[input * (classes + 1) + classes] = column[input]!;
  }
  return { weight: wider, bias: Float32Array.from([...bias, median(bias)]) };
}

function median(values: Float32Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

export interface AddedClass {
  readonly model: Vit;
  /** Owned by the caller; new handles, also of the weights that are the same. */
  readonly weights: NamedTensors;
}

/**
 * Adds a class to a trained Vision Transformer from a few pictures of it, without training (`imprintClass`). The label
 * of the new class is the last. The logits of the other classes keep their bits.
 *
 * @param images [pictures, imageSize, imageSize, channels], prepared as in training.
 * @param precision of the products in computing the features. Default: FP32.
 * @throws LmdError `SHAPE_MISMATCH` for images or weights of another model.
 */
export async function addClass(
  ops: EagerOperations,
  model: Vit,
  weights: NamedTensors,
  images: Tensor,
  precision: Precision = fullPrecision,
): Promise<AddedClass> {
  const key = { seed: 0, step: 0, sample: 0 };
  const pooled = model.features(ops, weights, images, { training: false, precision, key });
  const read = async (tensor: Tensor) => (await ops.read(tensor)) as Float32Array;
  const { width, classes } = model.config;
  try {
    const flat = await read(pooled);
    const features = Array.from({ length: images.shape[0]! }, (_, row) => flat.slice(row * width, (row + 1) * width));
    const head = { weight: await read(weights['head.weight']!), bias: await read(weights['head.bias']!) };
    const { weight, bias } = imprintClass(head, features);
    return {
      model: vit({ ...model.config, classes: classes + 1 }),
      weights: ops.scope(() => ({
        ...Object.fromEntries(
          Object.entries(weights).map(([name, tensor]) => [name, ops.reshape(tensor, tensor.shape)]),
        ),
        'head.weight': ops.fromData(weight, [width, classes + 1]),
        'head.bias': ops.fromData(bias, [classes + 1]),
      })),
    };
  } finally {
    ops.dispose(pooled);
  }
}
