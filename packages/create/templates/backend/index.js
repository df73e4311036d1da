// @ts-check
import { createReferenceBackend } from '@lmd/backends/reference';
import { option } from '@lmd/core';

/** The options of `create`, which `lmd` checks against this table. */
export const optionTable = {
  storage: option.choice(['f32', 'f64'], { default: 'f32', describe: 'The precision of the results.' }),
};

/**
 * A backend that computes everything as the reference backend does, except softmax. Replace one function after the
 * other by calls of your engine; `npm test` says whether the results still are within their bounds.
 *
 * @param {{ readonly storage?: 'f32' | 'f64' }} [options]
 * @returns {import('@lmd/core').Backend}
 */
export function create({ storage = 'f32' } = {}) {
  const reference = createReferenceBackend({ storage });

  /**
   * A kernel of one's own. Core has checked the arguments; the result is a new tensor.
   *
   * @param {import('@lmd/core').FloatTensor} x
   */
  function softmax(x) {
    const values = reference.readFloat64(x);
    const width = x.shape.at(-1) ?? 1;
    const result = new Float32Array(values.length);
    for (let start = 0; start < values.length; start += width) {
      const row = values.subarray(start, start + width);
      // Subtracting the maximum keeps the exponentials finite.
      const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const powers = row.map((value) => Math.exp(value - largest));
      const sum = powers.reduce((a, b) => a + b, 0);
      powers.forEach((power, i) => {
        result[start + i] = power / sum;
      });
    }
    return reference.fromData(result, x.shape, 'f32');
  }

  return {
    ...reference,
    // The contract that this file was written for, and who wrote it: errors name both where versions do not fit.
    specVersion: 'lmd-backend-v1',
    madeBy: 'my-backend 0.1.0',
    name: 'my-backend',
    device: 'JavaScript',
    fused: { ...reference.fused, softmax },
  };
}
