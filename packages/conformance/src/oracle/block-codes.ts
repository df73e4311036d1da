import { type CodeLaw, codeBlockSize, type RandomKey, sizeOf } from '@lmd/core';
import type { Values } from '../values.js';
import { randomUniform } from './random.js';

const { fround } = Math;

export interface EncodedValues {
  readonly words: Values;
  readonly scales: readonly Values[];
}

const largestCode = ({ bits }: CodeLaw) => 2 ** (bits - 1) - 1;
const unitsOf = ({ law }: CodeLaw, code: number) => (law === 'linear' ? code : code * Math.abs(code));

/**
 * The least power of two, no less than 2^-100, by which the block's largest magnitude fits; NaN for one that is not
 * finite.
 */
function scaleOf(block: Float64Array, law: CodeLaw): number {
  const largest = block.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const needed = fround(largest * fround(1 / unitsOf(law, largestCode(law))));
  if (!Number.isFinite(needed)) return Number.NaN;
  let scale = 2 ** -100;
  while (scale < needed) scale *= 2;
  return scale;
}

function codeOf(x: number, scale: number, uniform: number, law: CodeLaw): number {
  if (Number.isNaN(scale)) return 0;
  const ratio = fround(Math.abs(x) / scale);
  const below = Math.floor(law.law === 'linear' ? ratio : fround(Math.sqrt(ratio)));
  const rest = fround(ratio - fround(unitsOf(law, below)));
  const beyond = law.law === 'linear' ? rest : fround(rest / fround(2 * below + 1));
  const size = Math.min(largestCode(law), below + (uniform < beyond ? 1 : 0));
  return x < 0 ? -size : size;
}

const blocksOf = (count: number) => Math.ceil(count / codeBlockSize);
const scaleShape = (blocks: number) => (blocks === 1 ? [] : [blocks]);

/** As the contract states it: see `FusedKernels.encodeBlocks`. */
export function encodeBlocks(
  vectors: readonly Values[],
  laws: readonly CodeLaw[],
  keys: readonly RandomKey[] | undefined,
): EncodedValues {
  const { shape } = vectors[0]!;
  const count = sizeOf(shape);
  const words = new Float64Array(count);
  const scales = vectors.map((x, index) => {
    const law = laws[index]!;
    const uniforms = keys === undefined ? undefined : randomUniform(shape, keys[index]!).data;
    const data = Float64Array.from({ length: blocksOf(count) }, (_, block) =>
      scaleOf(x.data.subarray(block * codeBlockSize, (block + 1) * codeBlockSize), law),
    );
    for (let i = 0; i < count; i++) {
      const code = codeOf(x.data[i]!, data[Math.floor(i / codeBlockSize)]!, uniforms?.[i] ?? 0.5, law);
      words[i] = words[i]! * 2 ** law.bits + code + 2 ** (law.bits - 1);
    }
    return { shape: scaleShape(data.length), dtype: 'f32' as const, data };
  });
  return { words: { shape, dtype: 'f32', data: words }, scales };
}

/** The vector of one index. */
export function decodeBlocks({ words, scales }: EncodedValues, laws: readonly CodeLaw[], index: number): Values {
  const law = laws[index]!;
  const below = 2 ** laws.slice(index + 1).reduce((sum, { bits }) => sum + bits, 0);
  const data = words.data.map((word, i) => {
    const code = (Math.floor(word / below) % 2 ** law.bits) - 2 ** (law.bits - 1);
    return fround(fround(unitsOf(law, code)) * scales[index]!.data[Math.floor(i / codeBlockSize)]!);
  });
  return { shape: words.shape, dtype: 'f32', data };
}
