import { primitiveNames } from '@lmd/core';

/** Operations that are no arithmetic: held to the bit by tests of their own, and no row of the table. */
const withoutRow = ['fromData', 'full', 'read', 'dispose'];

/**
 * The rows of the tables, in the order of the contract.
 *
 * @type {readonly string[]}
 */
export const primitives = primitiveNames.filter((name) => !withoutRow.includes(name));

export const fusedKernels = [
  'softmax',
  'softmaxGradient',
  'layerNorm',
  'layerNormGradient',
  'gelu',
  'geluGradient',
  'crossEntropy',
  'crossEntropyGradient',
  'attention',
  'attentionGradient',
  'fakeQuantize',
  'roundToBfloat16',
  'lmdDraw',
  'lmdUpdate',
  'adamwUpdate',
  'encodeBlocks',
  'decodeBlocks',
  // With `encodeOperand` and `decodeOperand`: a backend has all three or none.
  'blockMatmul',
];
