import {
  type BlockProductKernels,
  type EncodedOperand,
  type IntegerElement,
  integerElement,
  operandExtent,
  sizeOf,
  type Tensor,
} from '@lmd/core';
import { decodeElement, elementFormats, quantize, unpack } from '@lmd/mx-formats';
import type { Store, Values } from './storage.js';

/** What this backend keeps of an operand, both row-major as [batch, rows, …]. */
interface ReferenceOperand {
  /** The integers q, i32 [batch, rows, terms]. */
  readonly codes: Tensor;
  /** Scale bytes as `@lmd/mx-formats` stores them, u8 [batch, rows, blocks]. */
  readonly scales: Tensor;
  /** f32 scalar, where the format has one. */
  readonly tensorScale?: Tensor;
}

/** σ·2^ε, σ an integer; σ is NaN for a block of NaN. */
interface Scale {
  readonly significand: number;
  readonly exponent: number;
}

/** Exact products as the contract defines them (`BlockProductKernels`), in loops. */
export function referenceBlockProducts(store: Store): BlockProductKernels {
  const partsOf = (operand: EncodedOperand) => operand.tensors as unknown as ReferenceOperand;

  function sideOf(operand: EncodedOperand): Side {
    const { codes, scales, tensorScale } = partsOf(operand);
    const { format } = operand;
    return {
      ...operandExtent(operand),
      blockSize: format.blockSize,
      unitExponent: integerElement(format.element).unitExponent,
      codes: store.values(codes),
      scales: Array.from(store.values(scales), (byte) => scaleOf(format.scale, byte)),
      tensorScale: tensorScale === undefined ? 1 : store.values(tensorScale)[0]!,
    };
  }

  return {
    encodeOperand(x, options) {
      const { format, axis } = options;
      const extent = operandExtent({ format, shape: x.shape, axis });
      const values = new Float32Array(store.values(x));
      const packed = quantize(values, { ...options, shape: x.shape });
      const integers = codeIntegers(format.element, integerElement(format.element));
      const codes = new Int32Array(unpack(packed.codes, format.element.bits, values.length)).map(
        (code) => integers[code]!,
      );
      const { batch, rows, terms, blocks } = extent;
      const last = axis === x.shape.length - 1;
      const parts: ReferenceOperand = {
        codes: store.make(last ? codes : turned(codes, terms, rows), [batch, rows, terms], 'i32'),
        scales: store.make(last ? packed.scales : turned(packed.scales, blocks, rows), [batch, rows, blocks], 'u8'),
        ...(format.scale === 'e8m0' ? {} : { tensorScale: store.make([packed.tensorScale], [], 'f32') }),
      };
      return { ...parts };
    },

    decodeOperand(operand) {
      const { format, shape, axis } = operand;
      const { codes, scales, tensorScale } = partsOf(operand);
      const { rows, terms, blocks } = operandExtent(operand);
      const unit = 2 ** integerElement(format.element).unitExponent;
      const whole = tensorScale === undefined ? 1 : store.values(tensorScale)[0]!;
      const bytes = store.values(scales);
      const factors = Float64Array.from(bytes, (byte) => Math.fround(whole * numberOf(scaleOf(format.scale, byte))));
      const values = new Float32Array(store.values(codes)).map((q, i) => {
        const row = Math.floor(i / terms);
        return q * unit * factors[row * blocks + Math.floor((i % terms) / format.blockSize)]!;
      });
      return store.make(axis === shape.length - 1 ? values : turned(values, rows, terms), shape, 'f32');
    },

    blockMatmul(a, b) {
      const [left, right] = [sideOf(a), sideOf(b)];
      const finish = tensorScaling(left, right);
      const batch = Math.max(left.batch, right.batch);
      const shape = [batch, left.rows, right.rows];
      const out = new Float32Array(sizeOf(shape));
      for (let i = 0; i < out.length; i++) {
        const column = i % right.rows;
        const row = Math.floor(i / right.rows) % left.rows;
        const matrix = Math.floor(i / right.rows / left.rows);
        const rowA = (left.batch === 1 ? 0 : matrix) * left.rows + row;
        const rowB = (right.batch === 1 ? 0 : matrix) * right.rows + column;
        out[i] = finish(dot(left, rowA, right, rowB));
      }
      return store.make(out, shape, 'f32');
    },
  };
}

interface Side {
  readonly batch: number;
  readonly rows: number;
  readonly terms: number;
  readonly blocks: number;
  readonly blockSize: number;
  readonly unitExponent: number;
  readonly codes: Values;
  readonly scales: readonly Scale[];
  readonly tensorScale: number;
}

/** One row of each side, before the scales of whole tensors. */
function dot(a: Side, rowA: number, b: Side, rowB: number): number {
  const size = Math.min(a.blockSize, b.blockSize);
  let y = 0;
  for (let start = 0; start < a.terms; start += size) {
    const scaleA = a.scales[rowA * a.blocks + Math.floor(start / a.blockSize)]!;
    const scaleB = b.scales[rowB * b.blocks + Math.floor(start / b.blockSize)]!;
    let sum = 0;
    for (let k = start; k < Math.min(start + size, a.terms); k++) {
      sum += a.codes[rowA * a.terms + k]! * b.codes[rowB * b.terms + k]!;
    }
    const exact = sum * scaleA.significand * scaleB.significand;
    const exponent = scaleA.exponent + scaleB.exponent + a.unitExponent + b.unitExponent;
    // A sum of two f32 numbers in float64, rounded to f32, is the f32 sum.
    const next = Math.fround(y + limited(exact * 2 ** exponent));
    y = Math.abs(next) < smallestNormal ? 0 : next;
  }
  return y;
}

const smallestNormal = 2 ** -126;

/** What f32 holds of an exact number of at most 24 bits: ±Infinity beyond its range, 0 below its normal numbers. */
function limited(x: number): number {
  if (Math.abs(x) < smallestNormal) return 0;
  return Math.abs(x) >= 2 ** 128 ? Math.sign(x) * Infinity : x;
}

/** The last step: what the scales of the whole tensors make of a sum. */
function tensorScaling(a: Side, b: Side): (y: number) => number {
  if (a.tensorScale === 1 && b.tensorScale === 1) return (y) => y;
  const [left, right] = [split(a.tensorScale), split(b.tensorScale)];
  const significand = Math.fround(left.significand * right.significand);
  return (y) => limited(Math.fround(y * significand) * 2 ** (left.exponent + right.exponent));
}

/** A positive number as m·2^η, 1 ≤ m < 2. */
function split(x: number): Scale {
  const exponent = Math.floor(Math.log2(x));
  const significand = x * 2 ** -exponent;
  if (significand < 1) return { significand: 2 * significand, exponent: exponent - 1 };
  return significand < 2 ? { significand, exponent } : { significand: significand / 2, exponent: exponent + 1 };
}

const nanScale: Scale = { significand: Number.NaN, exponent: 0 };

function scaleOf(kind: string, byte: number): Scale {
  if (kind === 'e8m0') return byte === 255 ? nanScale : { significand: 1, exponent: byte - 127 };
  // Steps of the smallest E4M3 number's unit would not fit 4 bits: the exponent takes what it can.
  const value = decodeElement(byte, elementFormats.e4m3);
  if (Number.isNaN(value)) return nanScale;
  const exponent = Math.max(Math.floor(byte / 8), 1) - 10;
  return { significand: value * 2 ** -exponent, exponent };
}

const numberOf = ({ significand, exponent }: Scale): number => significand * 2 ** exponent;

/** The integer of each code. */
function codeIntegers(element: EncodedOperand['format']['element'], { unitExponent }: IntegerElement): number[] {
  // −0 as +0.
  return Array.from({ length: 2 ** element.bits }, (_, code) => decodeElement(code, element) * 2 ** -unitExponent + 0);
}

/** [batch, rows, columns] → [batch, columns, rows]. */
function turned<Array extends Int32Array | Uint8Array | Float32Array>(
  values: Array,
  rows: number,
  columns: number,
): Array {
  const out = values.slice() as Array;
  for (let i = 0; i < out.length; i++) {
    const column = i % columns;
    const row = Math.floor(i / columns) % rows;
    const matrix = Math.floor(i / columns / rows);
    out[(matrix * columns + column) * rows + row] = values[i]!;
  }
  return out;
}
