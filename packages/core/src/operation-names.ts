import { binaryNames, comparisonNames, unaryNames } from './backend.js';
import type { ContractMarker } from './contract-version.js';
import type { EagerOperations, Operations } from './operations.js';

type FunctionsOf<Type> = Exclude<keyof Type, 'backend' | keyof ContractMarker>;

/** Complete by its type: a name that is missing or unknown does not compile. */
const named: Record<
  Exclude<FunctionsOf<Operations>, (typeof unaryNames | typeof binaryNames | typeof comparisonNames)[number]>,
  true
> = {
  fromData: true,
  full: true,
  zeros: true,
  read: true,
  cast: true,
  where: true,
  sum: true,
  mean: true,
  max: true,
  argMax: true,
  matmul: true,
  reshape: true,
  transpose: true,
  slice: true,
  concatenate: true,
  broadcastTo: true,
  pad: true,
  gather: true,
  scatterAdd: true,
  randomBits: true,
  randomUniform: true,
  randomNormal: true,
  softmax: true,
  layerNorm: true,
  gelu: true,
  crossEntropy: true,
  attention: true,
  fakeQuantize: true,
  roundToBfloat16: true,
  encodeOperand: true,
  decodeOperand: true,
  blockMatmul: true,
  packMatrix: true,
  packedMatmul: true,
  packedRows: true,
  decodeMatrix: true,
  encodeRows: true,
  decodeRows: true,
  codedAttention: true,
  customGradient: true,
  scope: true,
  keep: true,
  dispose: true,
  isDisposed: true,
  memory: true,
};

const eager: Record<Exclude<FunctionsOf<EagerOperations>, FunctionsOf<Operations>>, true> = {
  softmaxGradient: true,
  layerNormGradient: true,
  geluGradient: true,
  crossEntropyGradient: true,
  attentionGradient: true,
  lmdDraw: true,
  lmdUpdate: true,
  adamwUpdate: true,
  weightedSum: true,
  encodeBlocks: true,
  decodeBlocks: true,
  readInto: true,
  adopt: true,
  resetPeakMemory: true,
};

/** The functions that a model may call, those of a tape included. */
export const operationNames: readonly string[] = [
  ...unaryNames,
  ...binaryNames,
  ...comparisonNames,
  ...Object.keys(named),
];

/** The functions of `createOperations`. */
export const eagerOperationNames: readonly string[] = [...operationNames, ...Object.keys(eager)];
