import { findFloat32Binade } from '../compositions/binades.js';
import type { EagerOperations } from '../operations.js';
import { sizeOf, type Tensor } from '../tensor.js';

/** Consecutive elements, in row-major order, that share a scale. */
export const codeBlockSize = 128;

/**
 * How numbers become integers from −levels to levels, by a scale s, a power of two, of their block:
 * `linear` c·s; `square` c·|c|·s, whose steps shrink toward 0, for vectors that range over magnitudes within a block.
 */
export interface CodeLaw {
  readonly law: 'linear' | 'square';
  readonly levels: number;
}

export interface Encoded {
  /** Integers as f32, of the shape of the numbers. */
  readonly codes: Tensor;
  /** [blocks], or a scalar where there is one block. */
  readonly scale: Tensor;
}

/**
 * Rounds each number to one of the two codes beside it: up in magnitude where its `uniform` is less than the part of the way
 * that it has gone, so that uniform numbers in [0, 1) give the number itself on average; ½ rounds to nearest.
 *
 * The scale is the least power of two by which the block's largest magnitude fits, no less than 2^-100. It follows the exponent
 * alone, so that a block whose maximum wanders keeps its grid, and a number on the grid is its own code whatever the uniform.
 */
export function encode(ops: EagerOperations, x: Tensor, { law, levels }: CodeLaw, uniform: Tensor | number): Encoded {
  return ops.scope(() => {
    const scale = blockScale(ops, x, law === 'linear' ? levels : levels * levels);
    const ratio = ops.divide(ops.absolute(x), spread(ops, scale, x.shape));
    const below = floor(ops, law === 'linear' ? ratio : ops.sqrt(ratio));
    const beyond =
      law === 'linear'
        ? ops.subtract(ratio, below)
        : ops.divide(ops.subtract(ratio, ops.multiply(below, below)), ops.add(ops.multiply(below, 2), 1));
    const rounded = ops.where(ops.less(uniform, beyond), ops.add(below, 1), below);
    const codes = ops.multiply(ops.sign(x), ops.minimum(rounded, levels));
    return { codes, scale };
  });
}

export function decode(ops: EagerOperations, { codes, scale }: Encoded, { law }: CodeLaw): Tensor {
  return ops.scope(() => {
    const units = law === 'linear' ? codes : ops.multiply(codes, ops.absolute(codes));
    return ops.multiply(units, spread(ops, scale, codes.shape));
  });
}

/**
 * One f32 word an element that holds a code of each law, the first in its highest digits. All words are integers under 2^24, which
 * f32 holds exactly, so this is arithmetic that every backend has; a byte type need not be stored in bytes.
 */
export function packWords(ops: EagerOperations, codes: readonly Tensor[], laws: readonly CodeLaw[]): Tensor {
  return ops.scope(() => {
    let word: Tensor | undefined;
    for (const [index, { levels }] of laws.entries()) {
      const digit = ops.add(codes[index]!, levels + 1);
      word = word === undefined ? digit : ops.add(ops.multiply(word, 2 * (levels + 1)), digit);
    }
    return word!;
  });
}

/** The codes of each law, from words that `packWords` made. */
export function unpackWords(ops: EagerOperations, words: Tensor, laws: readonly CodeLaw[]): Tensor[] {
  return ops.scope(() => {
    const codes: Tensor[] = [];
    let rest = words;
    for (const { levels } of laws.slice(1).reverse()) {
      const radix = 2 * (levels + 1);
      const next = floor(ops, ops.multiply(rest, 1 / radix));
      codes.unshift(ops.subtract(ops.subtract(rest, ops.multiply(next, radix)), levels + 1));
      rest = next;
    }
    codes.unshift(ops.subtract(rest, laws[0]!.levels + 1));
    return codes;
  });
}

/** The largest magnitude of each block over `largestUnits`, rounded up to a power of two. */
function blockScale(ops: EagerOperations, x: Tensor, largestUnits: number): Tensor {
  return ops.scope(() => {
    const largest = ops.multiply(blockMaxima(ops, ops.absolute(x)), 1 / largestUnits);
    const { significand, factor } = findFloat32Binade(ops, largest, 126);
    const scale = ops.where(ops.greater(significand, 1), ops.divide(2, factor), ops.divide(1, factor));
    // A maximum that is not finite fails the comparison above; added here, it spoils the whole block.
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

/** Of numbers from 0 up to 2^31. Where a backend stores a NaN as another integer, the block's scale still holds the NaN. */
function floor(ops: EagerOperations, x: Tensor): Tensor {
  return ops.scope(() => ops.cast(ops.cast(x, 'i32'), 'f32'));
}
