import * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionPlan } from './convolution-plan.js';

/**
 * Whether the engine's tensors are in this thread's memory, so that a loop over them beats a chain of the engine's
 * operations.
 */
export function isOnHost(): boolean {
  return tf.getBackend() === 'wasm' || tf.getBackend() === 'cpu';
}

/**
 * The patches of x [batch, height, width, channels] that a convolution multiplies: [rows,
 * kernelHeight·kernelWidth·channels].
 */
export function hostPatches(x: tf.Tensor4D, plan: ConvolutionPlan): tf.Tensor2D {
  const image = x.dataSync() as Float32Array;
  const patches = new Float32Array(plan.rows * plan.length);
  visitRuns(x.shape, plan, (imageAt, patchAt, count) => {
    for (let i = 0; i < count; i++) patches[patchAt + i] = image[imageAt + i]!;
  });
  return tf.tensor2d(patches, [plan.rows, plan.length]);
}

/**
 * The gradient for x from that of its patches, for engines of this thread: each pixel's sum over the patches that it is
 * in.
 */
export function patchesGradient(dPatches: tf.Tensor, shape: tf.Tensor4D['shape'], plan: ConvolutionPlan): tf.Tensor4D {
  const patches = dPatches.dataSync() as Float32Array;
  const image = new Float32Array(tf.util.sizeFromShape(shape));
  visitRuns(shape, plan, (imageAt, patchAt, count) => {
    for (let i = 0; i < count; i++) image[imageAt + i]! += patches[patchAt + i]!;
  });
  return tf.tensor4d(image, shape);
}

/** Every run of elements that is consecutive both in the image and in a patch; what lies in the padding is left out. */
function visitRuns(
  [batch, height, width, channels]: readonly [number, number, number, number],
  { outShape, before, kernelSize, strides, dilations, length }: ConvolutionPlan,
  visit: (imageAt: number, patchAt: number, count: number) => void,
): void {
  const [, outHeight, outWidth] = outShape;
  const [kernelHeight, kernelWidth] = kernelSize;
  let patchAt = 0;
  for (let b = 0; b < batch; b++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++, patchAt += length) {
        const left = outX * strides[1] - before[1];
        const whole = dilations[1] === 1 && left >= 0 && left + kernelWidth <= width;
        for (let kernelY = 0; kernelY < kernelHeight; kernelY++) {
          const y = outY * strides[0] - before[0] + kernelY * dilations[0];
          if (y < 0 || y >= height) continue;
          const rowAt = (b * height + y) * width;
          const at = patchAt + kernelY * kernelWidth * channels;
          if (whole) {
            visit((rowAt + left) * channels, at, kernelWidth * channels);
            continue;
          }
          for (let kernelX = 0; kernelX < kernelWidth; kernelX++) {
            const x = left + kernelX * dilations[1];
            if (x >= 0 && x < width) visit((rowAt + x) * channels, at + kernelX * channels, channels);
          }
        }
      }
    }
  }
}

/** The same by the engine's operations: one slice of the image for each place in the kernel, then one transposition. */
export function composedPatches(
  x: tf.Tensor4D,
  { outShape, before, after, kernelSize, strides, dilations, length, rows }: ConvolutionPlan,
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
