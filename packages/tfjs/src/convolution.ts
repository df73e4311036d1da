import * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionOptions, type ConvolutionPlan, planConvolution } from './convolution-plan.js';
import { withLazyGradients } from './lazy-gradient.js';
import { compute } from './operations.js';
import { composedPatches, hostPatches, isOnHost, patchesGradient } from './patches.js';
import type { ResolvedPrecision } from './precision.js';
import { rounded, roundGradient } from './product.js';

/**
 * x [batch, height, width, in] ∗ w [kernelHeight, kernelWidth, in, out] → [batch, outHeight, outWidth, out], as a
 * matrix product of the image's patches with the kernel, so that its contraction axis, of kernelHeight·kernelWidth·in
 * elements, is in one piece. Both operands are rounded along it: a patch is its pixels row by row with their channels
 * innermost, and each block is of consecutive elements of that, so a block continues into the next pixel where the
 * channels are no multiple of the block's size.
 *
 * The gradient is straight-through, as that of `roundedProduct`: with dy rounded to `precision.gradients`, the gradient
 * for x is the transposed convolution of dy with Q(w), and for w it is Q(patches)ᵀ·dy. Unlike `tf.conv2d` it needs no
 * kernel for the filter's gradient, which TensorFlow.js's wasm backend lacks, and dilated convolutions have gradients.
 */
export function roundedConv2d(
  x: tf.Tensor4D,
  w: tf.Tensor4D,
  precision: ResolvedPrecision,
  options: ConvolutionOptions,
): tf.Tensor4D {
  const plan = planConvolution(x.shape, w.shape, options);
  const { onHost = isOnHost() } = options;
  const { length, rows } = plan;
  const [kernelHeight, kernelWidth, channels, filters] = w.shape;
  return withLazyGradients([x, w], () => {
    const patches = rounded((onHost ? hostPatches : composedPatches)(x, plan), precision.activations, -1, precision);
    const kernel = rounded(tf.reshape(w, [length, filters]), precision.weights, 0, precision);
    const y = compute([patches, kernel], (ops, [a, b]) => ops.matmul(a!, b!));
    return { value: tf.reshape(y, plan.outShape), saved: [[kernel], [patches]] };
  }, [
    (dy, [kernel]) => {
      if (onHost) {
        const dPatches = compute([tf.reshape(dy, [rows, filters]), kernel!], (ops, [d, k]) =>
          ops.matmul(roundGradient(ops, d!, precision), k!, { transposeB: true }),
        );
        return patchesGradient(dPatches, x.shape, plan);
      }
      const spread = spreadKernel(tf.reshape(kernel!, [kernelHeight, kernelWidth, channels, filters]), plan.dilations);
      const padded = transposedConvolution(roundedGradient(dy, precision) as tf.Tensor4D, spread, plan);
      return tf.slice(padded, [0, plan.before[0], plan.before[1], 0], x.shape);
    },
    (dy, [patches]) => {
      const rowGradients = tf.reshape(dy, [rows, filters]);
      const dw = compute([rowGradients, patches!], (ops, [d, a]) =>
        ops.matmul(a!, roundGradient(ops, d!, precision), { transposeA: true }),
      );
      return tf.reshape(dw, w.shape);
    },
  ]) as tf.Tensor4D;
}

function roundedGradient(dy: tf.Tensor, precision: ResolvedPrecision): tf.Tensor {
  return precision.gradients === 'fp32' ? dy : compute([dy], (ops, [d]) => roundGradient(ops, d!, precision));
}

/** The kernel of a dilated convolution as one without dilation: zeros between its places. */
function spreadKernel(w: tf.Tensor4D, [vertical, horizontal]: readonly [number, number]): tf.Tensor4D {
  if (vertical === 1 && horizontal === 1) return w;
  const [height, width, channels, filters] = w.shape;
  // One axis at a time: engines on a GPU do not pad five axes.
  const rows = tf.pad(tf.reshape(w, [height, 1, width * channels * filters]), [
    [0, 0],
    [0, vertical - 1],
    [0, 0],
  ]);
  const places = tf.reshape(rows, [height * vertical, width, 1, channels * filters]);
  const apart = tf.pad(places, [
    [0, 0],
    [0, 0],
    [0, horizontal - 1],
    [0, 0],
  ]);
  const spread = tf.reshape(apart, [height * vertical, width * horizontal, channels, filters]);
  const size = [(height - 1) * vertical + 1, (width - 1) * horizontal + 1, channels, filters];
  return tf.slice(spread, [0, 0, 0, 0], size) as tf.Tensor4D;
}

/** The gradient for the padded image. */
function transposedConvolution(
  dy: tf.Tensor4D,
  w: tf.Tensor4D,
  { paddedSize, strides, outShape }: ConvolutionPlan,
): tf.Tensor4D {
  const shape: [number, number, number, number] = [outShape[0], paddedSize[0], paddedSize[1], w.shape[2]];
  return tf.conv2dTranspose(dy, w, shape, [...strides], 'valid');
}
