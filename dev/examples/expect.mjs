import { deepStrictEqual } from 'node:assert';

/** Typed arrays as arrays, as an example's comment writes them. */
function plain(value) {
  if (ArrayBuffer.isView(value)) return Array.from(/** @type {Float32Array} */ (value));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** Compares a value of an example with what its comment `// =>` says. */
export const expectExample = (actual, expected) => deepStrictEqual(plain(actual), expected);
