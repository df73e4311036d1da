/**
 * The numbers that kernels and their callers share. Two compilers read this file, TypeScript's and AssemblyScript's
 * (`assembly/`): it has enumerations and whole-number constants alone, with neither types nor imports, so that other
 * engines can be given the same.
 */

/**
 * Of `unary`. From `toInteger` on, conversions: from f32 toward zero, saturating, NaN to 0; of i32 to the nearest f32.
 */
export enum UnaryOperation {
  negate,
  absolute,
  sign,
  exp,
  log,
  sqrt,
  tanh,
  erf,
  round,
  bfloat16,
  toInteger,
  toFloat,
}

/** Of `binary`. From `equal` on, comparisons, which give 1 or 0: of f32, then of i32. */
export enum BinaryOperation {
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  equal,
  greater,
  less,
  equalIntegers,
  greaterIntegers,
  lessIntegers,
}

/** What `random` makes of Philox's words. */
export enum RandomKind {
  randomBits,
  randomUniform,
  randomNormal,
}

/** The priors of `lmdUpdate`. */
export enum Regularizer {
  logNormalPrior,
  powerPrior,
  exponentialPrior,
  halfNormalPrior,
}

/** How codes of packed weights are stored and decoded: floats by their bits and mantissa bits. */
export enum PackedKind {
  nibbles,
  float6m3,
  float6m2,
  float8m3,
  float8m2,
  integer8,
}

/**
 * How `blockMatmul` multiplies integers: bytes, where those of A, or of B, have been made non-negative numbers of 7
 * bits, for which relaxed SIMD has one result; by one instruction, or by three, which are faster where the engine has
 * to make the one of five. Else 16 bits.
 */
export enum ProductVariant {
  offsetA,
  offsetB,
  offsetAInSteps,
  offsetBInSteps,
  wide,
}

/** Rows and columns of the tile of `matmul`: its parts are multiples of them. */
export const matmulTileRows = 6;
export const matmulTileColumns = 8;
/** Likewise of `blockMatmul`. */
export const blockTileRows = 4;
export const blockTileColumns = 8;

/** Elements for which random words are drawn at once: threads share such work at multiples of it. */
export const noiseBlock = 1024;
/** Rows of a part of `layerNormGradient`: however many threads there are, the sums add up in the same order. */
export const normPartRows = 256;
/** Columns of a band of `sumColumnParts`. */
export const bandColumns = 512;
/** Rows of a strip of `turnMatrices`. */
export const turnedRows = 32;
/** Elements that share a scale in `encodeBlocks` and `decodeBlocks`. */
export const scaledElements = 128;

/** How the codes of a row are stored: the sign and magnitude of 4 bits, or of 5 to 8; or integers of a byte. */
export enum CodedKind {
  nibbles,
  bytes,
  integers,
}

/** Coded rows that attention decodes at a time, a multiple of the eight that it adds up at once. */
export const codedTileRows = 16;
/** The widest rows, and the most of them for a head, for which it has room. */
export const widestCodedRow = 1024;
export const mostCodedKeys = 65536;

/** Codes of a row of packed weights that are stored together, and the bytes that they take: of 4, 6 and 8 bits. */
export const chunkCodes = 64;
export const chunkBytes4 = 32;
export const chunkBytes6 = 48;
export const chunkBytes8 = 64;
/**
 * Values by scale byte, f32, with which the tables of packed weights begin; then come bytes by code, low ones and high
 * ones.
 */
export const tableScales = 256;
export const tableCodes = 16;
/** Words of these tables, the last of which begins with a bfloat16 number to add. */
export const tableWords = 268;
