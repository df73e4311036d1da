/**
 * The tables of words that kernels find at an address: the place of each word in an entry, and how many there are.
 * AssemblyScript compiles this file too; see `numbers.ts`.
 */

/** A sample of `lmdUpdate`: the address of its gradient, and the key of its noise. */
export enum SampleEntry {
  gradient,
  stream,
  step,
  sample,
  seedLow,
  seedHigh,
  words,
}

/**
 * A vector of `encodeBlocks`: its address, that of its scales, whether its law is the square one, its bits, and the key
 * of its rounding.
 */
export enum EncodeEntry {
  vector,
  scales,
  square,
  bits,
  stream,
  step,
  sample,
  seedLow,
  seedHigh,
  words,
}

/**
 * A vector of `decodeBlocks`: the address of what it becomes, that of its scales, whether its law is the square one,
 * its bits, and the bits that follow it in a word.
 */
export enum DecodeEntry {
  out,
  scales,
  square,
  bits,
  after,
  words,
}

/**
 * The settings of `blockMatmul`: a `ProductVariant`, elements of a block, 1 where every tile needs care, the exponent
 * of what is left of both units; then both operands.
 */
export enum ProductEntry {
  variant,
  blockSize,
  careful,
  unitExponent,
  words,
}

/**
 * An operand of `blockMatmul`: the addresses of its codes and scales, rows of one matrix, terms, elements that share a
 * scale; 1 where integers take 2 bytes, 1 where scales are f32 rather than bytes, 1 where all matrices of a batch are
 * one; the power of two that scales are multiplied by; what is added to each integer, so that all are non-negative; and
 * what the sum of a block's integers is multiplied by, for the start of a sum.
 */
export enum OperandEntry {
  codes,
  scales,
  rows,
  terms,
  blockSize,
  wide,
  floatScales,
  shared,
  shift,
  offset,
  sumFactor,
  words,
}
