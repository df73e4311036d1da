import { type BlockFormat, LmdError, type Operations, showValue, type Tensor } from '@lmd/core';
import { formats, validateBlockFormat } from '@lmd/mx-formats';

/**
 * Rows of a tensor as codes of a block format, in tensors that every backend has: concatenated and sliced along any
 * axis but the last like the rows themselves, since the codes of a row depend on that row alone.
 */
export interface CodedRows {
  /** f32 integers under 2^24, [..., words]: as many codes of elements as fit, the first in the highest bits. */
  readonly words: Tensor;
  /** The same of scale bytes, E8M0, three a word: [..., scale words]. */
  readonly scales: Tensor;
}

export interface RowCodec {
  /**
   * Rounds rows [..., width] to the nearest values of the format, in blocks along the last axis, and gives their codes.
   */
  encode(rows: Tensor): CodedRows;
  /** The values of codes, [..., width]: those of `fakeQuantize` along the last axis, but +0 for −0. */
  decode(rows: CodedRows, width: number): Tensor;
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

const hasCodec = ({ scale, element: { bits } }: BlockFormat): boolean => scale === 'e8m0' && bits >= 4 && bits <= 8;

/** The names of the formats of `@lmd/mx-formats` in which `generate` can keep keys and values. */
export const cacheFormatNames: readonly string[] = Object.values(formats as { readonly [name: string]: BlockFormat })
  .filter(hasCodec)
  .map(({ name }) => name);

/**
 * Refuses what cannot be the format of a cache, before anything is computed.
 *
 * @throws LmdError `INVALID_ARGUMENT` for what is no block format, `UNSUPPORTED` for scales that are no powers of two
 */
export function checkCacheFormat(format: BlockFormat): void {
  const remedy =
    'Use a format of OCP MX in @lmd/mx-formats, such as formats.mxint8: elements of 4 to 8 bits, and scales that ' +
    'are powers of two.';
  try {
    validateBlockFormat(format);
  } catch (cause) {
    const message = `cacheFormat is ${showValue(format)}, which is no block format.`;
    throw new LmdError('INVALID_ARGUMENT', message, { subject: 'cacheFormat', value: format, remedy, cause });
  }
  const { name, scale } = format;
  if (hasCodec(format)) return;
  throw new LmdError('UNSUPPORTED', `cacheFormat is "${name}", with scales of kind "${scale}".`, {
    subject: 'cacheFormat',
    value: name,
    remedy,
  });
}

/**
 * The codec of a format with `e8m0` scales and elements of 4 to 8 bits. Its tables are freed by the scope in which it
 * is made.
 */
export function rowCodec(ops: Operations, format: BlockFormat): RowCodec {
  const { element } = format;
  const { mantissaBits, emin, emax } = element;
  const packing = elementPacking(element.bits);
  const elements = ops.fromData(elementTable(format, packing), [2 ** (packing.bits * packing.codes), packing.codes]);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const scales = ops.fromData(
    Float32Array.from(bytes, (byte) => (byte === nanByte ? Number.NaN : 2 ** (byte - bias))),
    [256, 1],
  );
  const inverses = ops.fromData(Float32Array.from(bytes, (byte) => (byte === nanByte ? 0 : 2 ** (bias - byte))));
  const units = ops.fromData(
    Float32Array.from({ length: emax - emin + 1 }, (_, binade) => 2 ** (mantissaBits - emin - binade)),
  );

  /** [..., width] → [..., blocks, block size], filled up with zeros. */
  const split = (rows: Tensor): Tensor => {
    const { width, blocks, size } = blocksOf(rows.shape.at(-1)!, format);
    const lead = rows.shape.slice(0, -1);
    const filled = padLast(ops, rows, blocks * size - width);
    return ops.reshape(filled, [...lead, blocks, size]);
  };

  return {
    encode: (rows) =>
      ops.scope(() => {
        const values = split(ops.fakeQuantize(rows, { format, axis: -1 }));
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
        const lead = rows.shape.slice(0, -1);
        return {
          words: pack(ops, ops.reshape(signed, [...lead, -1]), packing),
          scales: pack(ops, ops.reshape(scaleBytes, [...lead, -1]), scalePacking),
        };
      }),
    decode: (rows, width) =>
      ops.scope(() => {
        const { blocks, size } = blocksOf(width, format);
        const lead = rows.words.shape.slice(0, -1);
        const codes = unpack(ops, rows.words, elements, packing, blocks * size);
        const factors = unpack(ops, rows.scales, scales, scalePacking, blocks);
        const values = ops.multiply(
          ops.reshape(codes, [...lead, blocks, size]),
          ops.reshape(factors, [...lead, blocks, 1]),
        );
        return takeLast(ops, ops.reshape(values, [...lead, blocks * size]), width);
      }),
  };
}

/** Words of 4 bytes that the codes and scales of one row take. */
export function wordsOfRow(width: number, format: BlockFormat): number {
  const { blocks, size } = blocksOf(width, format);
  const words = (count: number, packing: Packing): number => Math.ceil(count / perWord(packing));
  return words(blocks * size, elementPacking(format.element.bits)) + words(blocks, scalePacking);
}

/** Blocks that divide a row; one block that is alone is as short as the row. */
function blocksOf(width: number, { blockSize }: BlockFormat) {
  const size = Math.min(blockSize, width);
  return { width, size, blocks: Math.ceil(width / size) };
}

/** Kept, since every generated token makes a codec. */
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
function binade(ops: Operations, x: Tensor): Tensor {
  const exponent = ops.add(ops.multiply(ops.log(x), Math.LOG2E), 2 ** -8 - 0.5);
  return ops.round(exponent);
}

/** Integers [..., count] under 2^bits → words [..., ⌈count / per word⌉]. */
function pack(ops: Operations, codes: Tensor, packing: Packing): Tensor {
  const [lead, count, each] = [codes.shape.slice(0, -1), codes.shape.at(-1)!, perWord(packing)];
  const words = Math.ceil(count / each);
  const filled = ops.reshape(padLast(ops, codes, words * each - count), [...lead, words, each]);
  const places = ops.fromData(Float32Array.from({ length: each }, (_, i) => 2 ** (packing.bits * (each - 1 - i))));
  return ops.sum(ops.multiply(filled, places), { axes: -1 });
}

/** The first `count` codes of words [..., words] by their table [2^(bits · codes), codes] → [..., count]. */
function unpack(ops: Operations, words: Tensor, table: Tensor, packing: Packing, count: number): Tensor {
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

function padLast(ops: Operations, x: Tensor, count: number): Tensor {
  if (count === 0) return x;
  const before = x.shape.map(() => 0);
  return ops.pad(x, before, [...before.slice(1), count]);
}

function takeLast(ops: Operations, x: Tensor, count: number): Tensor {
  if (x.shape.at(-1) === count) return x;
  const lead = x.shape.slice(0, -1);
  return ops.slice(
    x,
    x.shape.map(() => 0),
    [...lead, count],
  );
}
