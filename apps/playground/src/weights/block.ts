import { dequantize, formatNamed, formats, quantize, unpack } from '@lmd/mx-formats';

/** One block of a matrix, before and after quantization. */
export interface BlockView {
  readonly weight: string;
  readonly format: string;
  /** Index of the block in the matrix, and their number. */
  readonly index: number;
  readonly count: number;
  /** Where it is: the output that it belongs to, and its inputs. */
  readonly place: string;
  /** The scale as it is stored, and its value. */
  readonly scaleCode: number;
  readonly scale: number;
  readonly elements: readonly BlockElement[];
  /** Root mean square of the error over that of the values. */
  readonly relativeError: number;
}

export interface BlockElement {
  readonly value: number;
  /** Bits of the element. */
  readonly code: string;
  readonly quantized: number;
}

export interface Matrix {
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** The axis of the inputs, along which blocks run. */
  readonly axis: number;
}

/** The format that a block is shown in: that given, or MXFP4 where it is no block format. */
export const blockFormatOf = (format: string) => (Object.hasOwn(formats, format) ? format : 'mxfp4_e2m1');

/** @param index of the block, taken modulo their number. */
export function blockOf(weight: string, { values, shape, axis }: Matrix, given: string, index: number): BlockView {
  const format = formatNamed(blockFormatOf(given));
  const quantized = quantize(values, { format, shape, axis });
  const decoded = dequantize(quantized);
  const { bits } = format.element;
  const codes = unpack(quantized.codes, bits, values.length);
  const { blockSize, scales, tensorScale } = quantized;
  const length = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const blocks = Math.ceil(length / blockSize);
  const count = scales.length;
  const at = ((index % count) + count) % count;
  // Scales are row-major in the shape with the number of blocks in place of the axis' length.
  const outer = Math.floor(at / (blocks * inner));
  const block = Math.floor(at / inner) % blocks;
  const column = at % inner;
  const first = block * blockSize;
  const size = Math.min(blockSize, length - first);
  const elements = Array.from({ length: size }, (_, i): BlockElement => {
    const place = (outer * length + first + i) * inner + column;
    return {
      value: values[place]!,
      code: codes[place]!.toString(2).padStart(bits, '0'),
      quantized: decoded[place]!,
    };
  });
  const squares = elements.reduce((sum, { value }) => sum + value * value, 0);
  const errors = elements.reduce((sum, { value, quantized }) => sum + (value - quantized) ** 2, 0);
  const scaleCode = scales[at]!;
  return {
    weight,
    format: blockFormatOf(given),
    index: at,
    count,
    place: `output ${axis === 0 ? column : outer}, inputs ${first} to ${first + size - 1}`,
    scaleCode,
    scale: format.scale === 'e8m0' ? 2 ** (scaleCode - 127) : e4m3(scaleCode) * tensorScale,
    elements,
    relativeError: squares > 0 ? Math.sqrt(errors / squares) : 0,
  };
}

/** The value of an E4M3 code without a sign (OCP 8-bit Floating Point Specification, table 2). */
function e4m3(code: number): number {
  const [exponent, mantissa] = [code >> 3, code & 7];
  return exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7);
}
