import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { type CodeLaw, codeBlockSize, type EncodedBlocks } from '../optimizer-kernels.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { findFloat32Binade } from './binades.js';

/** The codes of one vector. */
export interface Codes {
  /** Integers as f32, of the shape of the vector. */
  readonly codes: Tensor;
  /** [blocks], or a scalar where there is one block. */
  readonly scale: Tensor;
}

/** The largest code of a law. */
const largestCode = ({ bits }: CodeLaw) => 2 ** (bits - 1) - 1;

/** What is added to a code for its digit in a word, which is then at least 1 and under 2^bits. */
const offset = ({ bits }: CodeLaw) => 2 ** (bits - 1);

/** See `FusedKernels`. */
export function encodeBlocks(
  ops: EagerOperations,
  vectors: readonly Tensor[],
  laws: readonly CodeLaw[],
  keys: readonly RandomKey[] | undefined,
): EncodedBlocks {
  return ops.scope(() => {
    const encoded = vectors.map((x, index) =>
      ops.scope(() => {
        const key = keys?.[index];
        return encode(ops, x, laws[index]!, key === undefined ? 0.5 : ops.randomUniform(x.shape, key));
      }),
    );
    const words = packWords(
      ops,
      encoded.map(({ codes }) => codes),
      laws,
    );
    return { words, scales: encoded.map(({ scale }) => scale) };
  });
}

/** See `FusedKernels`. */
export function decodeBlocks(
  ops: EagerOperations,
  { words, scales }: EncodedBlocks,
  laws: readonly CodeLaw[],
  wanted: readonly number[],
): readonly Tensor[] {
  return ops.scope(() => {
    const codes = unpackWords(ops, words, laws);
    return wanted.map((index) => decode(ops, { codes: codes[index]!, scale: scales[index]! }, laws[index]!));
  });
}

/**
 * Rounds each number to one of the two codes beside it: up in magnitude where its `uniform` is less than the part of
 * the way that it has gone, so that uniform numbers in [0, 1) give the number itself on average; ½ rounds to nearest. A
 * number on the grid is its own code whatever the uniform.
 */
export function encode(ops: EagerOperations, x: Tensor, law: CodeLaw, uniform: Tensor | number): Codes {
  return ops.scope(() => {
    const largest = largestCode(law);
    const linear = law.law === 'linear';
    const scale = blockScale(ops, x, linear ? largest : largest * largest);
    const ratio = ops.divide(ops.absolute(x), spread(ops, scale, x.shape));
    const below = floor(ops, linear ? ratio : ops.sqrt(ratio));
    const beyond = linear
      ? ops.subtract(ratio, below)
      : ops.divide(ops.subtract(ratio, ops.multiply(below, below)), ops.add(ops.multiply(below, 2), 1));
    const rounded = ops.where(ops.less(uniform, beyond), ops.add(below, 1), below);
    // False if the scale is NaN, so that a word stays an integer and other vectors are unaffected.
    const size = ops.where(ops.less(ratio, Infinity), ops.minimum(rounded, largest), 0);
    return { codes: ops.where(ops.less(x, 0), ops.negate(size), size), scale };
  });
}

export function decode(ops: EagerOperations, { codes, scale }: Codes, { law }: CodeLaw): Tensor {
  return ops.scope(() => {
    const units = law === 'linear' ? codes : ops.multiply(codes, ops.absolute(codes));
    return ops.multiply(units, spread(ops, scale, codes.shape));
  });
}

/** Words are integers under 2^24, so this is arithmetic that every backend has. */
export function packWords(ops: EagerOperations, codes: readonly Tensor[], laws: readonly CodeLaw[]): Tensor {
  return ops.scope(() => {
    let word: Tensor | undefined;
    for (const [index, law] of laws.entries()) {
      const digit = ops.add(codes[index]!, offset(law));
      word = word === undefined ? digit : ops.add(ops.multiply(word, 2 ** law.bits), digit);
    }
    return word!;
  });
}

/** The codes of each law, from words that `packWords` made. */
export function unpackWords(ops: EagerOperations, words: Tensor, laws: readonly CodeLaw[]): Tensor[] {
  return ops.scope(() => {
    const codes: Tensor[] = [];
    let rest = words;
    for (const law of laws.slice(1).reverse()) {
      const radix = 2 ** law.bits;
      const next = floor(ops, ops.multiply(rest, 1 / radix));
      codes.unshift(ops.subtract(ops.subtract(rest, ops.multiply(next, radix)), offset(law)));
      rest = next;
    }
    codes.unshift(ops.subtract(rest, offset(laws[0]!)));
    return codes;
  });
}

/** The largest magnitude of each block over `largestUnits`, rounded up to a power of two. */
function blockScale(ops: EagerOperations, x: Tensor, largestUnits: number): Tensor {
  return ops.scope(() => {
    const largest = ops.multiply(blockMaxima(ops, ops.absolute(x)), 1 / largestUnits);
    const { significand, factor } = findFloat32Binade(ops, largest, 126);
    const scale = ops.where(ops.greater(significand, 1), ops.divide(2, factor), ops.divide(1, factor));
    // A maximum that is not finite fails the comparison above; adding it makes the whole block NaN.
    return ops.add(ops.maximum(scale, 2 ** -100), ops.subtract(largest, largest));
  });
}

function blockMaxima(ops: EagerOperations, magnitudes: Tensor): Tensor {
  const size = sizeOf(magnitudes.shape);
  if (size <= codeBlockSize) return ops.max(magnitudes);
  const blocks = Math.ceil(size / codeBlockSize);
  const filled = ops.pad(ops.reshape(magnitudes, [size]), [0], [blocks * codeBlockSize - size]);
  return ops.max(ops.reshape(filled, [blocks, codeBlockSize]), { axes: 1 });
}

/** The scale of each element's block. */
function spread(ops: EagerOperations, scale: Tensor, shape: readonly number[]): Tensor {
  if (scale.shape.length === 0) return scale;
  return ops.scope(() => {
    const blocks = scale.shape[0]!;
    const repeated = ops.broadcastTo(ops.reshape(scale, [blocks, 1]), [blocks, codeBlockSize]);
    const flat = ops.reshape(repeated, [blocks * codeBlockSize]);
    return ops.reshape(ops.slice(flat, [0], [sizeOf(shape)]), shape);
  });
}

/** Of numbers from 0 up to 2^31. */
function floor(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => ops.cast(ops.cast(x, 'i32'), 'f32'));
}
