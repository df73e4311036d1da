import * as tf from '@tensorflow/tfjs-core';
import type { LayerPrecision, ResolvedPrecision } from '../precision.js';
import { resolvePrecision } from '../precision.js';
import { roundedProduct } from '../product.js';
import { type PrecisionArgs, precisionFromConfig, precisionToConfig } from './args.js';
import { Dense, type DenseArgs } from './base.js';
import { onlyTensor, withBiasAndActivation } from './output.js';

export type MXDenseArgs = DenseArgs & PrecisionArgs;

/** See `mxDense`. */
export class MXDense extends Dense {
  /** @nocollapse */
  static className = 'MXDense';

  readonly #precision: LayerPrecision;
  readonly #resolved: ResolvedPrecision;

  /** @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for the precision; tfjs-layers' own errors for the rest */
  constructor(args: MXDenseArgs) {
    super(args);
    this.#precision = args.precision === undefined ? 'mxfp6_e3m2' : precisionFromConfig(args.precision);
    this.#resolved = resolvePrecision('mxDense', this.#precision);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Parameters<InstanceType<typeof Dense>['call']>[1]): tf.Tensor {
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const x = onlyTensor('mxDense', inputs);
      const kernel = this.kernel.read() as tf.Tensor2D;
      const rows = tf.reshape(x, [-1, kernel.shape[0]]) as tf.Tensor2D;
      const y = roundedProduct(rows, kernel, this.#resolved);
      const shaped = tf.reshape(y, [...x.shape.slice(0, -1), kernel.shape[1]]);
      return withBiasAndActivation(this, shaped);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), precision: precisionToConfig(this.#precision) as tf.serialization.ConfigDict };
  }
}

tf.serialization.registerClass(MXDense);

/**
 * `tf.layers.dense` with low-precision operands: the same arguments, and `precision` (default `mxfp6_e3m2`).
 *
 * [..., k] → [..., units]. Inputs and kernel are both rounded along k, the axis that the product sums over, in blocks
 * of the format's size (32 in OCP Microscaling v1.0); the product, bias and activation are float32. The gradient is
 * straight-through, with the rounded operands of the forward product and the incoming gradient rounded to BF16.
 *
 * @throws LmdError `UNKNOWN_OPTION` or `INVALID_ARGUMENT` for the precision
 */
export function mxDense(args: MXDenseArgs): MXDense {
  return new MXDense(args);
}
