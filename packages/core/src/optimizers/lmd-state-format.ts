import { LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import type { CodeLaw, LmdTensors } from '../optimizer-kernels.js';
import type { Tensor } from '../tensor.js';

/** How `lmd` stores its log medians and momenta; see `LmdOptions.stateFormat`. */
export const lmdStateFormats = ['f32', 'block16', 'block8'] as const;
export type LmdStateFormatName = (typeof lmdStateFormats)[number];

type Vector = keyof LmdTensors;
type Stored = { readonly [name: string]: Tensor };
/** log m₀ of each half, a scalar or of the weight's shape: what stored medians are relative to. */
export type LogPriorMedians = { readonly logPlus: Tensor; readonly logMinus: Tensor };

/** Between the four (or three) f32 vectors that the rule computes with and the tensors of the state. */
export interface LmdStateFormat {
  /** Names of the tensors of one weight's state. The first has the weight's shape. */
  readonly names: readonly [string, ...string[]];
  /** Whether a large weight is handled in parts, to keep what is decoded small. */
  readonly cut: boolean;
  medians(ops: EagerOperations, stored: Stored, prior: LogPriorMedians): { logPlus: Tensor; logMinus: Tensor };
  read(ops: EagerOperations, stored: Stored, prior: LogPriorMedians): LmdTensors;
  /** Rounds stochastically by the key of each vector; to nearest without. */
  write(
    ops: EagerOperations,
    vectors: LmdTensors,
    prior: LogPriorMedians,
    keyOf?: (vector: string) => RandomKey,
  ): Stored;
}

/**
 * @throws LmdError `INVALID_ARGUMENT` for `block8` with `gradientScaling: 'sample'`: a 24-bit word holds three 8-bit
 *   codes, and that state has four vectors.
 */
export function lmdStateFormat(format: LmdStateFormatName, gradientScaling: 'sample' | 'none'): LmdStateFormat {
  const scaled = gradientScaling === 'sample';
  if (format === 'f32') {
    return plain(['logPlus', 'logMinus', 'momentumPlus', ...(scaled ? (['momentumMinus'] as const) : [])]);
  }
  if (format === 'block16') {
    return packed({
      codesPlus: { logPlus: median16, momentumPlus: momentum8 },
      codesMinus: scaled ? { logMinus: median16, momentumMinus: momentum8 } : { logMinus: median16 },
    });
  }
  if (scaled) {
    throw new LmdError('INVALID_ARGUMENT', 'lmd: stateFormat is "block8" with gradientScaling "sample".', {
      subject: 'stateFormat',
      value: format,
      remedy: 'The codes have room for three vectors: use gradientScaling "none", or stateFormat "block16".',
    });
  }
  return packed({ codes: { logPlus: median8, logMinus: median8, momentumPlus: momentum8 } });
}

const median16: CodeLaw = { law: 'linear', bits: 16 };
const median8: CodeLaw = { law: 'linear', bits: 8 };
/** Momenta of one block may differ by orders of magnitude, and only their signs move a weight: finer steps near 0. */
const momentum8: CodeLaw = { law: 'square', bits: 8 };

function plain(names: readonly [Vector, ...Vector[]]): LmdStateFormat {
  const pick = (stored: Stored) => Object.fromEntries(names.map((name) => [name, stored[name]!]));
  return {
    names,
    cut: false,
    medians: (_, { logPlus, logMinus }) => ({ logPlus: logPlus!, logMinus: logMinus! }),
    read: (_, stored) => pick(stored) as unknown as LmdTensors,
    write: (_, vectors) => pick(vectors as unknown as Stored),
  };
}

type Layout = { readonly [word: string]: { readonly [vector in Vector]?: CodeLaw } };

/**
 * Words of codes, and a scale a block for each vector. Medians are stored as log (m/m₀), which is 0 where a half
 * begins.
 */
function packed(layout: Layout): LmdStateFormat {
  const words = Object.entries(layout).map(([word, fields]) => ({
    word,
    vectors: Object.keys(fields) as Vector[],
    laws: Object.values(fields),
  }));
  const names = [...words.map(({ word }) => word), ...words.flatMap(({ vectors }) => vectors.map(scaleOf))];

  function vectorsFrom(
    ops: EagerOperations,
    stored: Stored,
    prior: LogPriorMedians,
    wanted: (vector: Vector) => boolean,
  ): Record<string, Tensor> {
    return ops.scope(() => {
      const result: Record<string, Tensor> = {};
      for (const { word, vectors, laws } of words) {
        const scales = vectors.map((vector) => stored[scaleOf(vector)]!);
        const indices = vectors.flatMap((vector, index) => (wanted(vector) ? [index] : []));
        for (const [at, value] of ops.decodeBlocks({ words: stored[word]!, scales }, laws, indices).entries()) {
          const vector = vectors[indices[at]!]!;
          result[vector] = isMedian(vector) ? ops.add(value, prior[vector]) : value;
        }
      }
      return result;
    });
  }

  return {
    names: names as unknown as readonly [string, ...string[]],
    cut: true,
    medians: (ops, stored, prior) =>
      vectorsFrom(ops, stored, prior, isMedian) as unknown as { logPlus: Tensor; logMinus: Tensor },
    read: (ops, stored, prior) => vectorsFrom(ops, stored, prior, () => true) as unknown as LmdTensors,
    write: (ops, tensors, prior, keyOf) =>
      ops.scope(() => {
        const result: Record<string, Tensor> = {};
        for (const { word, vectors, laws } of words) {
          const relative = vectors.map((vector) =>
            isMedian(vector) ? ops.subtract(tensors[vector], prior[vector]) : tensors[vector]!,
          );
          const encoded = ops.encodeBlocks(relative, laws, keyOf === undefined ? undefined : vectors.map(keyOf));
          result[word] = encoded.words;
          for (const [index, vector] of vectors.entries()) result[scaleOf(vector)] = encoded.scales[index]!;
        }
        return result;
      }),
  };
}

const scaleOf = (vector: Vector) => `${vector}Scale`;

/** True for the name of a tensor with a number for each block instead of each element. */
export function isScale(name: string): boolean {
  return name.endsWith('Scale');
}

function isMedian(vector: Vector): vector is 'logPlus' | 'logMinus' {
  return vector === 'logPlus' || vector === 'logMinus';
}
