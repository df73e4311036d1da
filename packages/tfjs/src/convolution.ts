import * as tf from '@tensorflow/tfjs-core';
import { withLazyGradients } from './lazy-gradient.js';
import { compute } from './operations.js';
import type { ResolvedPrecision } from './precision.js';
import { rounded, roundGradient } from './product.js';

export interface ConvolutionOptions {
  readonly strides: readonly [number, number];
  readonly padding: 'valid' | 'same';
  readonly dilations: readonly [number, number];
}

/**
 * x [batch, height, width, in] ∗ w [kernelHeight, kernelWidth, in, out] → [batch, outHeight, outWidth, out], as a matrix product of
 * the image's patches with the kernel, so that its contraction axis, of kernelHeight·kernelWidth·in elements, is in one piece. Both
 * operands are rounded along it: a patch is its pixels row by row with their channels innermost, and each block is of consecutive
 * elements of that, so a block goes on into the next pixel where the channels are no multiple of the block's size.
 *
 * The gradient is straight-through, as that of `roundedProduct`: with dy rounded to `precision.gradients`, the gradient for x is the
 * transposed convolution of dy with Q(w), and for w it is Q(patches)ᵀ·dy. Unlike `tf.conv2d` it needs no kernel for the filter's
 * gradient, which TensorFlow.js's wasm backend lacks, and dilated convolutions have gradients.
 */
export function roundedConv2d(
  x: tf.Tensor4D,
  w: tf.Tensor4D,
  precision: ResolvedPrecision,
  options: ConvolutionOptions,
): tf.Tensor4D {
  const plan = planConvolution(x.shape, w.shape, options);
  const { length, rows } = plan;
  const [kernelHeight, kernelWidth, channels, filters] = w.shape;
  return withLazyGradients([x, w], () => {
    const patches = rounded(patchesOf(x, plan), precision.activations, -1, precision);
    const kernel = rounded(tf.reshape(w, [length, filters]), precision.weights, 0, precision);
    const y = compute([patches, kernel], (ops, [a, b]) => ops.matmul(a!, b!));
    return { value: tf.reshape(y, plan.outShape), saved: [[kernel], [patches]] };
  }, [
    (dy, [kernel]) => {
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

interface Plan {
  readonly outShape: [number, number, number, number];
  /** Zeros before and after each of the two spatial axes. */
  readonly before: readonly [number, number];
  readonly paddedSize: readonly [number, number];
  readonly after: readonly [number, number];
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Of the contraction. */
  readonly length: number;
  readonly rows: number;
}

function planConvolution(
  [batch, height, width, channels]: readonly [number, number, number, number],
  [kernelHeight, kernelWidth, , filters]: readonly [number, number, number, number],
  { strides, padding, dilations }: ConvolutionOptions,
): Plan {
  const plan = (size: number, kernel: number, stride: number, dilation: number) => {
    const reach = (kernel - 1) * dilation + 1;
    const out = padding === 'same' ? Math.ceil(size / stride) : Math.max(0, Math.floor((size - reach) / stride) + 1);
    const total = padding === 'same' ? Math.max(0, (out - 1) * stride + reach - size) : 0;
    const before = Math.floor(total / 2);
    return { out, before, after: total - before, padded: size + total };
  };
  const vertical = plan(height, kernelHeight, strides[0], dilations[0]);
  const horizontal = plan(width, kernelWidth, strides[1], dilations[1]);
  return {
    outShape: [batch, vertical.out, horizontal.out, filters],
    before: [vertical.before, horizontal.before],
    after: [vertical.after, horizontal.after],
    paddedSize: [vertical.padded, horizontal.padded],
    kernelSize: [kernelHeight, kernelWidth],
    strides,
    dilations,
    length: kernelHeight * kernelWidth * channels,
    rows: batch * vertical.out * horizontal.out,
  };
}

/** [rows, kernelHeight·kernelWidth·channels]: one slice of the image for each place in the kernel, then one transposition. */
function patchesOf(
  x: tf.Tensor4D,
  { outShape, before, after, kernelSize, strides, dilations, length, rows }: Plan,
): tf.Tensor2D {
  const [, outHeight, outWidth] = outShape;
  const channels = x.shape[3];
  const pads: [number, number][] = [
    [0, 0],
    [before[0], after[0]],
    [before[1], after[1]],
    [0, 0],
  ];
  const needsPadding = before.some((n) => n > 0) || after.some((n) => n > 0);
  const padded = needsPadding ? tf.pad(x, pads) : x;
  const places: tf.Tensor[] = [];
  for (let i = 0; i < kernelSize[0]; i++) {
    for (let j = 0; j < kernelSize[1]; j++) {
      const [top, left] = [i * dilations[0], j * dilations[1]];
      places.push(tf.reshape(sliceEvery(padded, [top, left], [outHeight, outWidth], strides), [1, rows * channels]));
    }
  }
  // Few long runs to copy, instead of one of `channels` elements for each place of each patch.
  const stacked = tf.reshape(tf.concat(places, 0), [places.length, rows, channels]);
  return tf.reshape(tf.transpose(stacked, [1, 0, 2]), [rows, length]) as tf.Tensor2D;
}

/** Every stride-th pixel from `begin`, `size` of them along each spatial axis. */
function sliceEvery(
  x: tf.Tensor4D,
  [top, left]: readonly [number, number],
  [height, width]: readonly [number, number],
  [vertical, horizontal]: readonly [number, number],
): tf.Tensor {
  const [batch, , fullWidth, channels] = x.shape;
  if (vertical === 1 && horizontal === 1) {
    // With width and channels as one axis, each row of the image is one run to copy.
    const lines = tf.reshape(x, [batch, x.shape[1], fullWidth * channels]);
    return tf.slice(lines, [0, top, left * channels], [batch, height, width * channels]);
  }
  const end = [batch, top + (height - 1) * vertical + 1, left + (width - 1) * horizontal + 1, channels];
  return tf.stridedSlice(x, [0, top, left, 0], end, [1, vertical, horizontal, 1]);
}

/** The kernel of a dilated convolution as one without dilation: zeros between its places. */
function spreadKernel(w: tf.Tensor4D, [vertical, horizontal]: readonly [number, number]): tf.Tensor4D {
  if (vertical === 1 && horizontal === 1) return w;
  const [height, width, channels, filters] = w.shape;
  const apart = tf.pad(tf.reshape(w, [height, 1, width, 1, channels * filters]), [
    [0, 0],
    [0, vertical - 1],
    [0, 0],
    [0, horizontal - 1],
    [0, 0],
  ]);
  const spread = tf.reshape(apart, [height * vertical, width * horizontal, channels, filters]);
  const size = [(height - 1) * vertical + 1, (width - 1) * horizontal + 1, channels, filters];
  return tf.slice(spread, [0, 0, 0, 0], size) as tf.Tensor4D;
}

/** The gradient for the padded image. */
function transposedConvolution(dy: tf.Tensor4D, w: tf.Tensor4D, { paddedSize, strides, outShape }: Plan): tf.Tensor4D {
  const shape: [number, number, number, number] = [outShape[0], paddedSize[0], paddedSize[1], w.shape[2]];
  return tf.conv2dTranspose(dy, w, shape, [...strides], 'valid');
}
