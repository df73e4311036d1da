import * as tf from '@tensorflow/tfjs-core';

export interface Computed {
  readonly value: tf.Tensor;
  /** What each input's gradient reads, kept until the backward pass has used it. */
  readonly saved: readonly (readonly tf.Tensor[])[];
}

export type InputGradient = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor;

/**
 * `tf.customGrad` computes the gradients of all inputs, wanted or not; for a first layer that is a large product, for
 * the gradient of the data. Here each input has a step of its own in the recording, and a step that leads to no
 * variable is skipped: the first computes, the others hand its result on.
 */
export function withLazyGradients(
  inputs: readonly tf.Tensor[],
  forward: () => Computed,
  gradients: readonly InputGradient[],
): tf.Tensor {
  const [first, ...others] = inputs as [tf.Tensor, ...tf.Tensor[]];
  let held: tf.Tensor[][] = [];
  const record = (index: number, save: unknown) => (save as tf.GradSaveFunc)(held[index]!);
  const compute = tf.customGrad((_x, save) => {
    const { value, saved } = forward();
    // This step's end frees what it made, and the next steps save some of it.
    held = saved.map((tensors) => tensors.map((tensor) => tf.keep(share(tensor))));
    record(0, save);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients[0]!(dy, saved) };
  });
  try {
    return others.reduce((value, input, index) => {
      const handOn = tf.customGrad((y, _x, save) => {
        record(index + 1, save);
        return {
          value: share(y as tf.Tensor),
          gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [dy, gradients[index + 1]!(dy, saved)],
        };
      });
      return handOn(value, input);
    }, compute(first));
  } finally {
    tf.dispose(held);
  }
}

/** Another tensor on the same storage, which a clone on wasm is not. */
function share(tensor: tf.Tensor): tf.Tensor {
  return tf.reshape(tensor, tensor.shape);
}
