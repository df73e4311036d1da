import { fusedKernelNames, primitiveNames } from '@lmd/core';

/** Operations that are no arithmetic: held to the bit by tests of their own, and no row of the table. */
const withoutRow = [
  ...['fromData', 'full', 'read', 'dispose'],
  // A backend has all kernels of an operand, of a packed matrix or of coded rows, or none: `blockMatmul`,
  // `packedMatmul` and `codedAttention` stand for them.
  ...['encodeOperand', 'decodeOperand', 'packMatrix', 'packedRows', 'decodeMatrix'],
  ...['encodeRows', 'decodeRows'],
];

/** @param {readonly string[]} names */
const rows = (names) => names.filter((name) => !withoutRow.includes(name));

/** The rows of the tables, in the order of the contract. */
export const primitives = rows(primitiveNames);
export const fusedKernels = rows(fusedKernelNames);
