import { type RandomKey, type Rounding, refuseUnknownOptions, type ScaleMode } from '@lmd/core';
import { type BlockFormat, type FormatName, roundings, scaleModes } from '@lmd/mx-formats';
import * as tf from '@tensorflow/tfjs-core';
import { compute } from './operations.js';
import { blockFormat, choice, invalid } from './precision.js';

export interface QuantizeMXOptions {
  /** A format's name, such as `mxfp6_e3m2`, or a record of `@lmd/mx-formats`. */
  readonly format: FormatName | BlockFormat;
  /**
   * The axis along which blocks run: the one that the product to come sums over. Negative counts from the end. Default
   * −1.
   */
  readonly axis?: number;
  /** Default `nearestEven`. `stochastic` needs `key`. */
  readonly rounding?: Rounding;
  /** Default `floor`, the OCP default. */
  readonly scaleMode?: ScaleMode;
  /** Which random numbers `stochastic` rounding draws: another `step` each step. */
  readonly key?: RandomKey;
  /**
   * `straightThrough` (default) hands the gradient through the rounding unchanged. A function gives the gradient for x
   * from that of the result, x and the result.
   */
  readonly gradient?: 'straightThrough' | ((dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor) => tf.Tensor);
}

const optionNames = ['format', 'axis', 'rounding', 'scaleMode', 'key', 'gradient'];

/**
 * Rounds a float32 tensor to a block format (OCP Microscaling v1.0) and back: each value becomes the float32 value of
 * its code under its block's scale, with the bits of `fakeQuantize` of `@lmd/mx-formats` on every backend of
 * TensorFlow.js whose float32 arithmetic keeps IEEE 754. Differentiable: rounding has no useful derivative, so it is
 * straight-through unless told otherwise.
 *
 * On cpu and wasm it runs in place of a kernel; elsewhere it is composed of the engine's operations, on the device.
 * NVFP4 has a kernel only.
 *
 * @throws LmdError `UNKNOWN_OPTION`; `INVALID_ARGUMENT` naming the option; `DTYPE_MISMATCH` for another dtype than
 *   float32; `UNSUPPORTED` for a format that the engine has no kernel for and core does not compose; `TENSOR_DISPOSED`
 */
export function quantizeMX<T extends tf.Tensor>(x: T, options: QuantizeMXOptions): T {
  const { gradient, ...fakeQuantizeOptions } = checkedOptions(x, options);
  const quantize = tf.customGrad((input, save) => {
    const source = input as tf.Tensor;
    const value = compute([source], (ops, [handle]) => ops.fakeQuantize(handle!, fakeQuantizeOptions));
    if (gradient === 'straightThrough') return { value, gradFunc: (dy: tf.Tensor) => tf.clone(dy) };
    (save as tf.GradSaveFunc)([source, value]);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved[0]!, saved[1]!) };
  });
  return quantize(x) as T;
}

function checkedOptions(x: tf.Tensor, options: QuantizeMXOptions) {
  const owner = 'quantizeMX';
  if (typeof options !== 'object' || options === null) {
    throw invalid(owner, 'options', options, "Use at least a format: { format: 'mxfp6_e3m2' }.");
  }
  refuseUnknownOptions(owner, options, optionNames);
  if (!(x instanceof tf.Tensor)) throw invalid(owner, 'x', x, 'Use a tf.Tensor of dtype float32.');
  const { axis = -1, rounding = 'nearestEven', scaleMode = 'floor', key, gradient = 'straightThrough' } = options;
  if (gradient !== 'straightThrough' && typeof gradient !== 'function') {
    throw invalid(owner, 'gradient', gradient, "Use 'straightThrough' or a function of (dy, x, y).");
  }
  return {
    format: blockFormat(owner, 'format', options.format),
    axis,
    rounding: choice(owner, 'rounding', rounding, roundings),
    scaleMode: choice(owner, 'scaleMode', scaleMode, scaleModes),
    ...(key === undefined ? {} : { key }),
    gradient,
  };
}
