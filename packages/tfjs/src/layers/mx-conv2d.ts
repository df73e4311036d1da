import * as tf from '@tensorflow/tfjs-core';
import { roundedConv2d } from '../convolution.js';
import type { LayerPrecision, ResolvedPrecision } from '../precision.js';
import { resolvePrecision } from '../precision.js';
import { type PrecisionArgs, precisionFromConfig, precisionToConfig } from './args.js';
import { Conv2D, type Conv2DArgs } from './base.js';
import { onlyTensor, withBiasAndActivation } from './output.js';

export type MXConv2DArgs = Conv2DArgs & PrecisionArgs;

/** See `mxConv2d`. */
export class MXConv2D extends Conv2D {
  /** @nocollapse */
  static className = 'MXConv2D';

  readonly #precision: LayerPrecision;
  readonly #resolved: ResolvedPrecision;

  /** @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for the precision; tfjs-layers' own errors for the rest */
  constructor(args: MXConv2DArgs) {
    super(args);
    this.#precision = args.precision === undefined ? 'mxfp6_e3m2' : precisionFromConfig(args.precision);
    this.#resolved = resolvePrecision('mxConv2d', this.#precision);
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: Parameters<InstanceType<typeof Conv2D>['call']>[1],
  ): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = onlyTensor('mxConv2d', inputs);
      const channelsFirst = this.dataFormat === 'channelsFirst';
      const image = (channelsFirst ? tf.transpose(x, [0, 2, 3, 1]) : x) as tf.Tensor4D;
      const y = roundedConv2d(image, this.kernel.read() as tf.Tensor4D, this.#resolved, {
        strides: this.strides,
        padding: this.padding,
        dilations: this.dilationRate,
      });
      const output = withBiasAndActivation(this, y);
      return channelsFirst ? tf.transpose(output, [0, 3, 1, 2]) : output;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), precision: precisionToConfig(this.#precision) as tf.serialization.ConfigDict };
  }
}

tf.serialization.registerClass(MXConv2D);

/**
 * `tf.layers.conv2d` with low-precision operands: the same arguments, and `precision` (default `mxfp6_e3m2`).
 *
 * The convolution is the product of patches [positions, kernelHeight·kernelWidth·channels] with the kernel, and both
 * are rounded along that axis: pixels of a patch row by row, channels innermost, in blocks of the format's size (32)
 * from the patch's first element. With channels a multiple of 32 a block is within one pixel; otherwise it continues
 * into the next, and the last one may be short. The product, bias and activation are float32. The gradient is
 * straight-through, with the rounded operands of the forward product and the incoming gradient rounded to BF16. The
 * patches take kernelHeight·kernelWidth times the memory of the image until the backward pass.
 *
 * With `precision: 'fp32'` it is `tf.layers.conv2d`, trainable also on TensorFlow.js's wasm backend.
 *
 * @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for the precision
 */
export function mxConv2d(args: MXConv2DArgs): MXConv2D {
  return new MXConv2D(args);
}
