import type { BlockFormat, ElementFormat, FakeQuantizeOptions, RandomKey } from './formats.js';
import { type FloatTensor, type NamedTensors, sizeOf } from './tensor.js';

/**
 * # Exact products of block formats
 *
 * A product whose operands are rounded to blocks along the contraction axis is computed from their codes, in integers,
 * and has the same bits on every backend.
 *
 * An element is q·u: q an integer, u = 2^`unitExponent` the unit of its format (`integerElement`). A block scale is
 * σ·2^ε: for `e8m0`, σ = 1 and ε = byte − 127; for `e4m3`, σ is an integer of 4 bits. For one row of `a` and one row of
 * `b`, block by block in ascending order,
 *
 *     P = σ_a·σ_b·Σ q_a·q_b            an exact integer, |P| ≤ 2^24
 *     t = P·2^(ε_a + ε_b + unit_a + unit_b)
 *     t is ±Infinity where |t| ≥ 2^128, and 0 where |t| < 2^-126
 *     y ← fl32(y + t), and +0 where |y| < 2^-126
 *
 * from y = +0, fl32 being the rounding to the nearest f32, ties to even. t is then an f32 number, so that a fused and
 * an unfused multiply-add agree, and so do any order within a block, any tile, and any number of threads that split
 * rows and columns. Subnormal numbers count as zero, as t and as y, since not every GPU has them.
 *
 * - A block of NaN (scale byte 0xFF; 0x7F in `e4m3`) makes y NaN in its whole row or column.
 * - Where a format has a scale for the whole tensor (`e4m3`), θ = m·2^η with 1 ≤ m < 2, the blocks are added without
 *   it, and at last y ← fl32(y·fl32(m_a·m_b))·2^(η_a + η_b), with the limits of t. An operand without one has m = 1, η
 *   = 0. Where neither has one, there is no such step.
 * - Blocks of two sizes pair where one size divides the other: the sums are then those of the smaller blocks, which
 *   share the scale of the larger. A short last block counts as filled up with zeros.
 *
 * ## What kernels exchange
 *
 * The tensors of an `EncodedOperand` are the backend's own. Those that run kernels on bytes in memory (WebAssembly,
 * native) hold them so:
 *
 * - `codes`: q, row-major [batch, rows, paddedTerms], as i8 where |q| ≤ 128 (E2M1, E2M3, INT8), else as i16 (E3M2). A
 *   row is one row of the product's operand, the contraction axis is last, and `paddedTerms` is the number of terms
 *   rounded up to a multiple of 16, with zeros. Blocks start at multiples of the block size. q = −128 is possible only
 *   in codes that were made elsewhere.
 * - `scales`: [batch, rows, blocks], blocks = ⌈terms / block size⌉, without padding: an `e8m0` byte as u8, an `e4m3`
 *   scale as the f32 that it stands for (NaN for 0x7F). A block whose codes are all 0 may have any scale but NaN;
 *   encoding gives byte 0, as OCP MX does.
 * - `tensorScale`: one f32, for `e4m3` alone.
 */

/**
 * Where an exact product takes its operand from: codes and scales of blocks along the contraction axis. Freed as
 * `tensors` are.
 */
export interface EncodedOperand {
  readonly format: BlockFormat;
  /** Shape of the tensor that was encoded: any leading axes, then two. */
  readonly shape: readonly number[];
  /** The contraction axis, counted from the start: one of the last two. */
  readonly axis: number;
  /**
   * In the backend's own layout, which depends on the `OperandExtent` alone: the same tensors are the codes of the
   * transposed matrices, contracted along their other axis.
   */
  readonly tensors: NamedTensors;
}

export type EncodeOperandOptions = FakeQuantizeOptions;

/**
 * Kernels of exact products. A backend has all three or none; core composes them from primitives where they are absent.
 */
export interface BlockProductKernels {
  /**
   * The codes of `x` [..., rows, terms] (axis last) or [..., terms, rows], with the values of `fakeQuantize` for the
   * same options, but +0 for −0.
   */
  encodeOperand(
    x: FloatTensor,
    options: Required<Omit<EncodeOperandOptions, 'key'>> & { readonly key?: RandomKey },
  ): NamedTensors;
  /** The values of an operand, in the shape of the tensor that was encoded. */
  decodeOperand(operand: EncodedOperand): FloatTensor;
  /**
   * [batch, m, terms] · [batch, n, terms]ᵀ → [batch, m, n], as `OperandExtent` counts; either batch may be 1, which is
   * shared by all.
   */
  blockMatmul(a: EncodedOperand, b: EncodedOperand): FloatTensor;
}

/** An operand seen from its product. */
export interface OperandExtent {
  readonly batch: number;
  readonly rows: number;
  /** Elements along the contraction axis. */
  readonly terms: number;
  /** Blocks along it, a short last one included. */
  readonly blocks: number;
}

export function operandExtent({
  format,
  shape,
  axis,
}: Pick<EncodedOperand, 'format' | 'shape' | 'axis'>): OperandExtent {
  const rank = shape.length;
  const terms = shape[axis]!;
  return {
    batch: sizeOf(shape.slice(0, -2)),
    rows: shape[axis === rank - 1 ? rank - 2 : rank - 1]!,
    terms,
    blocks: Math.ceil(terms / format.blockSize),
  };
}

/** Elements as integers: each finite value is q·2^`unitExponent`. */
export interface IntegerElement {
  readonly unitExponent: number;
  /** The largest |q| that a code can stand for. */
  readonly largest: number;
}

export function integerElement({ kind, bits, emin, mantissaBits, largest }: ElementFormat): IntegerElement {
  if (kind === 'int') return { unitExponent: -mantissaBits, largest: 2 ** (bits - 1) };
  const unitExponent = emin - mantissaBits;
  return { unitExponent, largest: largest * 2 ** -unitExponent };
}

/** The largest block of an exact product, which kernels keep close at hand. */
export const largestExactBlock = 256;
/** Bits that an f32 holds exactly. */
const exactInteger = 2 ** 24;
const largestInt16 = 2 ** 15 - 1;

/** The largest significand σ of a scale, by kind. */
const scaleSignificands: ReadonlyMap<string, number> = new Map([
  ['e8m0', 1],
  ['e4m3', 15],
]);

/**
 * Whether products of operands in these formats are exact: all codes are finite, blocks pair, and P fits 24 bits. False
 * for `e4m3` and `e5m2` elements, which are too wide: their products are those of the rounded f32 operands.
 */
export function hasExactProducts(a: BlockFormat, b: BlockFormat = a): boolean {
  const block = Math.min(a.blockSize, b.blockSize);
  if (Math.max(a.blockSize, b.blockSize) % block !== 0) return false;
  return block * largestFactor(a) * largestFactor(b) <= exactInteger;
}

/** The largest |σ·q| of a format; Infinity where its elements are no operands of an exact product. */
export function largestFactor({ element, scale, blockSize }: BlockFormat): number {
  const { largest } = integerElement(element);
  const finite = !element.hasNaN && !element.hasInfinity;
  if (!finite || largest > largestInt16 || blockSize > largestExactBlock) return Infinity;
  return largest * (scaleSignificands.get(scale) ?? Infinity);
}
