import {
  type OptionsOf,
  type OptionTable,
  option,
  type RandomKey,
  resolveOptions,
  roundingOptionTable,
} from '@lmd/core';
import { type BlockFormat, type FormatName, formats } from '@lmd/mx-formats';
import * as tf from '@tensorflow/tfjs-core';
import { compute } from './operations.js';
import { blockFormat, invalid, isBlockFormat } from './precision.js';

/** The options of `quantizeMX`, declared once. */
export const quantizeMXOptionTable = {
  /**
   * Block format: a name, such as `mxfp6_e3m2`, or a format of `@lmd/mx-formats`. One of mxfp8_e5m2, mxfp8_e4m3,
   * mxfp6_e3m2, mxfp6_e2m3, mxfp4_e2m1, mxint8, nvfp4, or a block format's record; required.
   */
  format: option.value<FormatName | BlockFormat>({
    required: true,
    describe: 'Block format: a name, such as `mxfp6_e3m2`, or a format of `@lmd/mx-formats`.',
    allowed: `one of ${Object.keys(formats).join(', ')}, or a block format's record`,
    check: (value) => Object.hasOwn(formats, value as string) || isBlockFormat(value),
  }),
  /**
   * Axis along which blocks run: the contraction axis of the product that uses the result. Negative values count from
   * the end. A whole number; default -1.
   */
  axis: option.integer({
    default: -1,
    describe:
      'Axis along which blocks run: the contraction axis of the product that uses the result. Negative values ' +
      'count from the end.',
  }),
  ...roundingOptionTable,
  /** Random key of `stochastic` rounding; use another `step` at each step. An object. */
  key: option.object<RandomKey>({
    describe: 'Random key of `stochastic` rounding; use another `step` at each step.',
  }),
  /**
   * `straightThrough` (default) passes the gradient through the rounding unchanged. A function computes the gradient of
   * x from that of the result, x and the result. `straightThrough` or a function of (dy, x, y).
   */
  gradient: option.value<'straightThrough' | ((dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor) => tf.Tensor)>({
    describe:
      '`straightThrough` (default) passes the gradient through the rounding unchanged. A function computes the ' +
      'gradient of x from that of the result, x and the result.',
    allowed: '`straightThrough` or a function of (dy, x, y)',
    check: (value) => value === 'straightThrough' || typeof value === 'function',
  }),
} as const satisfies OptionTable;

export interface QuantizeMXOptions extends OptionsOf<typeof quantizeMXOptionTable> {}

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
  if (!(x instanceof tf.Tensor)) throw invalid(owner, 'x', x, 'Use a tf.Tensor of dtype float32.');
  const resolved = resolveOptions(owner, quantizeMXOptionTable, options);
  const { format, key, gradient = 'straightThrough', ...rest } = resolved;
  return { ...rest, format: blockFormat(owner, 'format', format), ...(key === undefined ? {} : { key }), gradient };
}
