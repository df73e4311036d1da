import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions, sizeOf } from '@lmd/core';
import type { Dataset } from './dataset.js';
import { fingerprintOf } from './fingerprint.js';
import { dtypeOf, toHostArray } from './host-array.js';
import { imagesOptionTable } from './image-dataset.js';
import { checkedLabels } from './labels.js';

type Inputs =
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

/** The options of `arrayDataset`, declared once. */
export const arrayDatasetOptionTable = {
  /** Name of the data in errors and checkpoints. Required. */
  name: option.text({ required: true, describe: 'Name of the data in errors and checkpoints.' }),
  /**
   * Examples, row-major: f32 features or i32 tokens. A Float32Array or Int32Array is used without a copy; other arrays
   * are converted: Float64Array and plain arrays to f32, integer arrays to i32. A Float32Array of features or an
   * Int32Array of tokens, all examples one after another; required.
   */
  inputs: option.value<Inputs>({
    required: true,
    describe:
      'Examples, row-major: f32 features or i32 tokens. A Float32Array or Int32Array is used without a copy; ' +
      'other arrays are converted: Float64Array and plain arrays to f32, integer arrays to i32.',
    allowed: 'a Float32Array of features or an Int32Array of tokens, all examples one after another',
    check: (value) => dtypeOf(value) !== undefined,
  }),
  /** Shape of one example. A list of sizes; required. */
  inputShape: option.value<readonly number[]>({
    required: true,
    describe: 'Shape of one example.',
    allowed: 'a list of sizes',
    check: Array.isArray,
  }),
  /** Class of each image, in [0, classes). A list of numbers; required. */
  labels: imagesOptionTable.labels,
  /** Number of classes. A whole number, at least 1; required. */
  classes: imagesOptionTable.classes,
} as const satisfies OptionTable;

export interface ArrayDatasetOptions extends OptionsOf<typeof arrayDatasetOptionTable> {}

/**
 * Creates a data set from arrays in memory.
 *
 * @throws LmdError `INVALID_ARGUMENT` if inputs are not an array of numbers; `DATA_CORRUPT` for a value that f32 or i32
 * cannot represent, and for a label out of range; `SHAPE_MISMATCH` if inputs and labels differ in count.
 */
export function arrayDataset(options: ArrayDatasetOptions): Dataset {
  const checked = resolveOptions('arrayDataset', arrayDatasetOptionTable, options);
  const { name, inputShape, classes } = checked;
  const labels = checkedLabels(name, checked.labels, classes);
  const { inputs, dtype } = checkedInputs(name, checked.inputs);
  const width = sizeOf(inputShape);
  if (inputs.length !== labels.length * width) {
    throw new LmdError(
      'SHAPE_MISMATCH',
      `Data set "${name}": ${inputs.length} input values for ${labels.length} labels.`,
      {
        subject: 'inputs',
        value: inputs.length,
        remedy: `Use ${labels.length} × ${width} values, the product of the label count and inputShape [${inputShape.join(', ')}].`,
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

function checkedInputs(name: string, inputs: Inputs) {
  const dtype = dtypeOf(inputs)!;
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
  return { inputs: toHostArray(inputs, dtype, refuse), dtype };
}
