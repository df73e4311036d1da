import { type CodedRows, rowBlocks } from '../coded-rows.js';
import type { BlockFormat } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { NamedTensors, Tensor } from '../tensor.js';

/** What this composition keeps of rows [..., width], in tensors that every backend has. */
interface ComposedRows {
  /** f32 integers under 2^24, [..., words]: as many codes of elements as fit, the first in the highest bits. */
  readonly words: Tensor;
  /** The same of scale bytes, E8M0, three a word: [..., scale words]. */
  readonly scales: Tensor;
}

/**
 * How codes of some bits are packed: `codes` of them make an index into a table, and `indices` of these a word of 24
 * bits.
 */
interface Packing {
  readonly bits: number;
  readonly codes: number;
  readonly indices: number;
}

const wordBits = 24;
const scalePacking: Packing = { bits: 8, codes: 1, indices: 3 };
const elementPacking = (bits: number): Packing => {
  const codes = Math.floor(12 / bits);
  return { bits, codes, indices: Math.floor(wordBits / (bits * codes)) };
};
const perWord = ({ codes, indices }: Packing): number => codes * indices;

/** The scale byte of a block with a NaN or an infinity. */
const nanByte = 255;
const bias = 127;

/** See `CodedRowKernels`. */
export function encodeRows(ops: EagerOperations, rows: Tensor, format: BlockFormat): NamedTensors {
  const { element } = format;
  const { mantissaBits, emin, emax } = element;
  return ops.scope(() => {
    const inverses = ops.fromData(
      Float32Array.from({ length: 256 }, (_, byte) => (byte === nanByte ? 0 : 2 ** (bias - byte))),
    );
    const units = ops.fromData(
      Float32Array.from({ length: emax - emin + 1 }, (_, binade) => 2 ** (mantissaBits - emin - binade)),
    );
    const [lead, width] = [rows.shape.slice(0, -1), rows.shape.at(-1)!];
    const { blocks, size } = rowBlocks(width, format);
    const filled = padLast(ops, ops.fakeQuantize(rows, { format, axis: -1 }), blocks * size - width);
    const values = ops.reshape(filled, [...lead, blocks, size]);
    const magnitudes = ops.absolute(values);
    const largest = ops.max(magnitudes, { axes: -1, keepDims: true });
    // Values on the grid of the format have the scale that they were rounded with.
    const byte = ops.minimum(ops.maximum(ops.add(binade(ops, largest), bias - emax), 0), nanByte - 1);
    const finite = ops.less(largest, Infinity);
    const scaleBytes = ops.where(finite, byte, nanByte);
    const units8 = ops.gather(inverses, ops.cast(scaleBytes, 'i32'));
    const scaled = ops.where(finite, ops.multiply(magnitudes, units8), 0);
    const above = ops.subtract(ops.maximum(binade(ops, scaled), emin), emin);
    const steps = ops.multiply(scaled, ops.gather(units, ops.cast(above, 'i32')));
    const codes = ops.add(steps, ops.multiply(above, 2 ** mantissaBits));
    const signed = ops.add(codes, ops.where(ops.less(values, 0), 2 ** (element.bits - 1), 0));
    const parts: ComposedRows = {
      words: pack(ops, ops.reshape(signed, [...lead, -1]), elementPacking(element.bits)),
      scales: pack(ops, ops.reshape(scaleBytes, [...lead, -1]), scalePacking),
    };
    return { ...parts };
  });
}

/** See `CodedRowKernels`. */
export function decodeRows(ops: EagerOperations, { format, shape, tensors }: CodedRows): Tensor {
  const rows = tensors as unknown as ComposedRows;
  const packing = elementPacking(format.element.bits);
  const { blocks, size } = rowBlocks(shape.at(-1)!, format);
  return ops.scope(() => {
    const elements = ops.fromData(elementTable(format, packing), [2 ** (packing.bits * packing.codes), packing.codes]);
    const scales = ops.fromData(
      Float32Array.from({ length: 256 }, (_, byte) => (byte === nanByte ? Number.NaN : 2 ** (byte - bias))),
      [256, 1],
    );
    const lead = shape.slice(0, -1);
    const codes = unpack(ops, rows.words, elements, packing, blocks * size);
    const factors = unpack(ops, rows.scales, scales, scalePacking, blocks);
    const values = ops.multiply(
      ops.reshape(codes, [...lead, blocks, size]),
      ops.reshape(factors, [...lead, blocks, 1]),
    );
    return takeLast(ops, ops.reshape(values, [...lead, blocks * size]), shape.at(-1)!);
  });
}

/** See `CodedRowKernels`. */
export function codedAttention(ops: EagerOperations, query: Tensor, rows: CodedRows, scale: number): Tensor {
  const [batch, both, keys, width] = rows.shape as readonly [number, number, number, number];
  const heads = both / 2;
  return ops.scope(() => {
    const values = ops.decodeRows(rows);
    const part = (which: number) => ops.slice(values, [0, which * heads, 0, 0], [batch, heads, keys, width]);
    return ops.attention(query, part(0), part(1), { scale });
  });
}

/** Kept, since every generated token decodes. */
const elementTables = new WeakMap<BlockFormat, Float32Array>();

function elementTable(format: BlockFormat, packing: Packing): Float32Array {
  const known = elementTables.get(format);
  if (known !== undefined) return known;
  const table = makeElementTable(format, packing);
  elementTables.set(format, table);
  return table;
}

/** What each index stands for, codes of sign and magnitude, the first in the highest bits. */
function makeElementTable({ element: { bits, mantissaBits, emin } }: BlockFormat, { codes }: Packing): Float32Array {
  const sign = 2 ** (bits - 1);
  const valueOfCode = (code: number): number => {
    const [negative, magnitude] = [code >= sign, code % sign];
    const above = Math.max(Math.floor(magnitude / 2 ** mantissaBits) - 1, 0);
    const value = (magnitude - above * 2 ** mantissaBits) * 2 ** (emin + above - mantissaBits);
    return negative ? 0 - value : value;
  };
  return Float32Array.from({ length: 2 ** (bits * codes) * codes }, (_, at) => {
    const [index, place] = [Math.floor(at / codes), codes - 1 - (at % codes)];
    return valueOfCode(Math.floor(index / 2 ** (bits * place)) % 2 ** bits);
  });
}

/**
 * ⌊log2 x⌋, −Infinity for 0. The logarithm of a backend is not exact, but x has 7 significant bits at most: below a
 * power of two it is under it by more than 2^-7 in the logarithm, and the margin is half of that.
 */
function binade(ops: EagerOperations, x: Tensor): Tensor {
  const exponent = ops.add(ops.multiply(ops.log(x), Math.LOG2E), 2 ** -8 - 0.5);
  return ops.round(exponent);
}

/** Integers [..., count] under 2^bits → words [..., ⌈count / per word⌉]. */
function pack(ops: EagerOperations, codes: Tensor, packing: Packing): Tensor {
  const [lead, count, each] = [codes.shape.slice(0, -1), codes.shape.at(-1)!, perWord(packing)];
  const words = Math.ceil(count / each);
  const filled = ops.reshape(padLast(ops, codes, words * each - count), [...lead, words, each]);
  const places = ops.fromData(Float32Array.from({ length: each }, (_, i) => 2 ** (packing.bits * (each - 1 - i))));
  return ops.sum(ops.multiply(filled, places), { axes: -1 });
}

/** The first `count` codes of words [..., words] by their table [2^(bits · codes), codes] → [..., count]. */
function unpack(ops: EagerOperations, words: Tensor, table: Tensor, packing: Packing, count: number): Tensor {
  const radix = 2 ** (packing.bits * packing.codes);
  const lead = words.shape.slice(0, -1);
  const digits: Tensor[] = [];
  let rest = ops.reshape(words, [...words.shape, 1]);
  for (let i = 1; i < packing.indices; i += 1) {
    const next = ops.cast(ops.cast(ops.multiply(rest, 1 / radix), 'i32'), 'f32');
    digits.unshift(ops.subtract(rest, ops.multiply(next, radix)));
    rest = next;
  }
  digits.unshift(rest);
  const indices = ops.cast(ops.concatenate(digits, words.shape.length), 'i32');
  return takeLast(ops, ops.reshape(ops.gather(table, indices), [...lead, -1]), count);
}

function padLast(ops: EagerOperations, x: Tensor, count: number): Tensor {
  if (count === 0) return x;
  const before = x.shape.map(() => 0);
  return ops.pad(x, before, [...before.slice(1), count]);
}

function takeLast(ops: EagerOperations, x: Tensor, count: number): Tensor {
  if (x.shape.at(-1) === count) return x;
  const lead = x.shape.slice(0, -1);
  return ops.slice(
    x,
    x.shape.map(() => 0),
    [...lead, count],
  );
}
