import { deepStrictEqual } from 'node:assert';

/** Converts typed arrays to arrays, as they are written in comments of examples. */
function plain(value) {
  if (ArrayBuffer.isView(value)) return Array.from(/** @type {Float32Array} */ (value));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Compares a value of an example with its comment `// =>`. */
export const expectExample = (actual, expected) => deepStrictEqual(plain(actual), expected);
