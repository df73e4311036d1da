import { LmdError, sizeOf } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { checkedLabels } from './labels.js';

export interface ArrayDatasetOptions {
  readonly name: string;
  /** Examples one after another, row-major: f32 features or i32 tokens. */
  readonly inputs: Float32Array | Int32Array;
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** One class an example, in [0, classes). */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/**
 * A data set over arrays in memory, which are read as they are and not copied.
 *
 * @throws LmdError `SHAPE_MISMATCH` when inputs and labels differ in count; `DATA_CORRUPT` for a label out of range.
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  refuseUnknownOptions('arrayDataset', options, ['name', 'inputs', 'inputShape', 'labels', 'classes']);
  const { name, inputs, inputShape, classes } = options;
  const labels = checkedLabels(name, options.labels, classes);
  const width = sizeOf(inputShape);
  if (inputs.length !== labels.length * width) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `Data set "${name}": ${inputs.length} input values for ${labels.length} labels.`,
      {
        subject: 'inputs',
        value: inputs.length,
        remedy: `Give ${labels.length} × ${width} values, the product of the label count and inputShape [${inputShape.join(', ')}].`,
      },
    );
  }
  let fingerprint: string | undefined;
  return {
    name,
    size: labels.length,
    classes,
    get fingerprint() {
      fingerprint ??= fingerprintOf([...inputShape, inputs, labels]);
      return fingerprint;
    },
    inputShape: [...inputShape],
    batch(indices) {
      const data =
        inputs instanceof Float32Array
          ? new Float32Array(indices.length * width)
          : new Int32Array(indices.length * width);
      indices.forEach((index, row) => {
        data.set(inputs.subarray(index * width, (index + 1) * width), row * width);
      });
      return {
        inputs: { data, shape: [indices.length, ...inputShape], dtype: data instanceof Float32Array ? 'f32' : 'i32' },
        labels: { data: indices.map((index) => labels[index]!), shape: [indices.length] },
      };
    },
  };
}
