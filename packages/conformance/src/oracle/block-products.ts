import { type BlockFormat, type EncodedOperand, type EncodeOperandOptions, integerElement, sizeOf } from '@lmd/core';
import { decodeElement, elementFormats, quantize, unpack } from '@lmd/mx-formats';
import { result, type Values } from '../values.js';

interface Scale {
  readonly significand: number;
  readonly exponent: number;
}

/**
 * One matrix of an operand, [rows, terms]: each element an integer, each block's scale an integer times a power of two.
 */
interface Matrix {
  readonly format: BlockFormat;
  readonly rows: number;
  readonly terms: number;
  /** Of the whole tensor. */
  readonly tensorScale: number;
  /** Row-major. */
  readonly integers: Float64Array;
  /** Undefined for a block of NaN. */
  scale(row: number, term: number): Scale | undefined;
}

export interface EncodedMatrices extends Pick<EncodedOperand, 'format' | 'shape' | 'axis'> {
  readonly matrices: readonly Matrix[];
}

/** The codes of `@lmd/mx-formats`, as integers. */
export function encodeOperand(x: Values, options: EncodeOperandOptions): EncodedMatrices {
  const { shape } = x;
  const rank = shape.length;
  const packed = quantize(new Float32Array(x.data), { ...options, shape });
  const { format, axis, blockSize, scales, tensorScale } = packed;
  const { element } = format;
  const [terms, rows] = [shape[axis]!, shape[2 * rank - 3 - axis]!];
  const codes = unpack(packed.codes, element.bits, x.data.length);
  const blocks = Math.ceil(terms / blockSize);
  const unit = 2 ** integerElement(element).unitExponent;
  const integerOf = Array.from({ length: 2 ** element.bits }, (_, code) => decodeElement(code, element) / unit);
  const scaleOf = Array.from({ length: 256 }, (_, byte): Scale | undefined => {
    if (format.scale === 'e8m0') return byte === 255 ? undefined : { significand: 1, exponent: byte - 127 };
    const value = decodeElement(byte, elementFormats.e4m3);
    // Normal numbers have a leading one and 3 bits: all of them are multiples of 2^(exponent − 3).
    const exponent = Math.max(Math.floor(byte / 8), 1) - 10;
    return Number.isNaN(value) ? undefined : { significand: value * 2 ** -exponent, exponent };
  });
  const last = axis === rank - 1;
  const matrices = Array.from({ length: sizeOf(shape.slice(0, -2)) }, (_, index): Matrix => {
    const at = (row: number, place: number, places: number) =>
      index * rows * places + (last ? row * places + place : place * rows + row);
    return {
      format,
      rows,
      terms,
      tensorScale,
      integers: new Float64Array(rows * terms).map(
        (_, i) => integerOf[codes[at(Math.floor(i / terms), i % terms, terms)]!]!,
      ),
      scale: (row, term) => scaleOf[scales[at(row, Math.floor(term / blockSize), blocks)]!],
    };
  });
  return { format, shape, axis, matrices };
}

/** By the definition of `BlockProductKernels`. `shape` is the result's. */
export function blockMatmul(a: EncodedMatrices, b: EncodedMatrices, shape: readonly number[]): Values {
  const [m, n] = shape.slice(-2) as [number, number];
  const data = new Float64Array(sizeOf(shape));
  for (let first = 0, index = 0; first < data.length; first += m * n, index++) {
    const left = a.matrices[a.matrices.length === 1 ? 0 : index]!;
    const right = b.matrices[b.matrices.length === 1 ? 0 : index]!;
    const dot = dotOf(left, right);
    for (let i = 0; i < m * n; i++) {
      data[first + i] = withTensorScales(dot(Math.floor(i / n), i % n), left, right);
    }
  }
  return result(shape, data);
}

const smallestNormal = 2 ** -126;

/** integer·2^exponent as an f32 number: ±Infinity beyond the largest, 0 below the normal ones. */
function term(integer: number, exponent: number): number {
  const size = Math.abs(integer);
  // The value is in [2^(top − 1), 2^top).
  const bits = size < 2 ** 32 ? 32 - Math.clz32(size) : size.toString(2).length;
  const top = bits + exponent;
  if (integer === 0 || top <= -126) return 0;
  return Math.sign(integer) * (top > 128 ? Infinity : size * 2 ** exponent);
}

/** The product of a row of `a` and a column of `b`. */
function dotOf(a: Matrix, b: Matrix): (row: number, column: number) => number {
  const size = Math.min(a.format.blockSize, b.format.blockSize);
  const unit = integerElement(a.format.element).unitExponent + integerElement(b.format.element).unitExponent;
  const { terms, integers: left } = a;
  const { integers: right } = b;
  return (row, column) => {
    let y = 0;
    for (let start = 0; start < terms; start += size) {
      const scaleA = a.scale(row, start);
      const scaleB = b.scale(column, start);
      if (scaleA === undefined || scaleB === undefined) return Number.NaN;
      const end = Math.min(start + size, terms);
      let sum = 0;
      for (let k = start; k < end; k++) sum += left[row * terms + k]! * right[column * terms + k]!;
      const integer = sum * scaleA.significand * scaleB.significand;
      y = Math.fround(y + term(integer, scaleA.exponent + scaleB.exponent + unit));
      if (Math.abs(y) < smallestNormal) y = 0;
    }
    return y;
  };
}

/** The last step, where a format has a scale for the whole tensor. */
function withTensorScales(y: number, a: Matrix, b: Matrix): number {
  if (a.format.scale === 'e8m0' && b.format.scale === 'e8m0') return y;
  const [left, right] = [split(a.tensorScale), split(b.tensorScale)];
  const product = Math.fround(y * Math.fround(left.significand * right.significand));
  const scaled = product * 2 ** (left.exponent + right.exponent);
  if (Math.abs(scaled) >= 2 ** 128) return Math.sign(scaled) * Infinity;
  return Math.abs(scaled) < smallestNormal ? 0 : scaled;
}

/** A positive number as m·2^η, m in [1, 2). */
function split(x: number): { readonly significand: number; readonly exponent: number } {
  let exponent = 0;
  let significand = x;
  for (; significand >= 2; significand /= 2) exponent++;
  for (; significand < 1; significand *= 2) exponent--;
  return { significand, exponent };
}
