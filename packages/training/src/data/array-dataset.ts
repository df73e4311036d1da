import { LmdError, sizeOf, typedArrayName } from '@lmd/core';
import { refuseUnknownOptions } from '../options.js';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { dtypeOf, toHostArray } from './host-array.js';
import { checkedLabels } from './labels.js';

export interface ArrayDatasetOptions {
  readonly name: string;
  /**
   * Concatenated examples, row-major: f32 features or i32 tokens. A Float32Array or Int32Array is used without a copy;
   * other arrays are converted, Float64Array and plain arrays to f32, integer arrays to i32.
   */
  readonly inputs:
    | Float32Array
    | Float64Array
    | Int32Array
    | Int16Array
    | Int8Array
    | Uint32Array
    | Uint16Array
    | Uint8Array
    | Uint8ClampedArray
    | readonly number[];
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** One class per example, in [0, classes). */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/**
 * Creates a data set from arrays in memory.
 *
 * @throws LmdError `INVALID_ARGUMENT` if inputs are not an array of numbers; `DATA_CORRUPT` for a value that f32 or i32
 * cannot represent, and for a label out of range; `SHAPE_MISMATCH` if inputs and labels differ in count.
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  refuseUnknownOptions('arrayDataset', options, ['name', 'inputs', 'inputShape', 'labels', 'classes']);
  const { name, inputShape, classes } = options;
  const labels = checkedLabels(name, options.labels, classes);
  const { inputs, dtype } = checkedInputs(name, options.inputs);
  const width = sizeOf(inputShape);
  if (inputs.length !== labels.length * width) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `Data set "${name}": ${inputs.length} input values for ${labels.length} labels.`,
      {
        subject: 'inputs',
        value: inputs.length,
        remedy:
          `Use ${labels.length} × ${width} values, the product of the label count and inputShape ` +
          `[${inputShape.join(', ')}].`,
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
      const length = indices.length * width;
      const data = dtype === 'f32' ? new Float32Array(length) : new Int32Array(length);
      indices.forEach((index, row) => {
        data.set(inputs.subarray(index * width, (index + 1) * width), row * width);
      });
      return {
        inputs: { data, shape: [indices.length, ...inputShape], dtype },
        labels: { data: indices.map((index) => labels[index]!), shape: [indices.length] },
      };
    },
  };
}

function checkedInputs(name: string, inputs: unknown) {
  const dtype = dtypeOf(inputs);
  if (dtype === undefined) {
    const found = typedArrayName(inputs) ?? (inputs === null ? 'null' : typeof inputs);
    throw new LmdError('INVALID_ARGUMENT', `Data set "${name}": inputs is a value of type ${found}.`, {
      subject: 'inputs',
      value: inputs,
      remedy: 'Use a Float32Array of features or an Int32Array of tokens, with all examples concatenated.',
    });
  }
  const refuse = (value: unknown, index: number): never => {
    throw new LmdError('DATA_CORRUPT', `Data set "${name}": inputs[${index}] is ${String(value)}.`, {
      subject: `inputs[${index}]`,
      value,
      remedy:
        dtype === 'f32'
          ? 'Inputs are stored as f32 and must be numbers up to 3.4e38. Scale them.'
          : 'Integers are stored as i32, up to 2147483647. Use a Float32Array for larger ones.',
    });
  };
  return { inputs: toHostArray(inputs as ArrayLike<unknown>, dtype, refuse), dtype };
}
