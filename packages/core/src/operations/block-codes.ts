import { compositions } from '../compositions/index.js';
import { describeValue, LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { type CodeLaw, codeBlockSize, type EncodedBlocks } from '../optimizer-kernels.js';
import { assertRandomKey } from '../random/random-key.js';
import { type FloatTensor, sizeOf, type Tensor } from '../tensor.js';
import { type Check, type Context, checkChoice, checkOptions, checkRecord, floats } from './context.js';
import { checkArray, formatShape, sameShape, shapeMismatch } from './shapes.js';

export type BlockCodeOperations = Pick<EagerOperations, 'encodeBlocks' | 'decodeBlocks'>;

/** Bits of the integers that f32 holds exactly, all of them. */
const wordBits = 24;

export function blockCodeOperations(context: Context, operations: () => EagerOperations): BlockCodeOperations {
  const { backend, track, alias, constant } = context;
  const check: Check = context.check;
  const { fused } = backend;

  return {
    encodeBlocks(vectors, laws, keys) {
      const name = 'encodeBlocks';
      checkLaws(name, laws);
      checkCount(name, 'vectors', vectors, laws);
      if (keys !== undefined) {
        checkCount(name, 'keys', keys, laws);
        for (const key of keys) assertRandomKey(key, name);
      }
      checkVectors(name, vectors);
      if (sizeOf(vectors[0]!.shape) === 0) {
        return { words: alias(name, vectors[0]!), scales: vectors.map(() => constant(name, [0], 0, 'f32')) };
      }
      if (!fused.encodeBlocks) return compositions.encodeBlocks(operations(), vectors, laws, keys);
      const encoded = fused.encodeBlocks(vectors, laws, keys);
      for (const x of [encoded.words, ...encoded.scales]) track(name, x);
      return encoded;
    },

    decodeBlocks(encoded, laws, wanted = laws.map((_, index) => index)) {
      const name = 'decodeBlocks';
      checkLaws(name, laws);
      checkEncoded(name, encoded, laws);
      checkWanted(name, wanted, laws);
      const { words } = encoded;
      if (sizeOf(words.shape) === 0) return wanted.map(() => alias(name, words));
      if (wanted.length === 0) return [];
      if (!fused.decodeBlocks) return compositions.decodeBlocks(operations(), encoded, laws, wanted);
      const vectors = fused.decodeBlocks(encoded, laws, wanted);
      for (const x of vectors) track(name, x);
      return vectors;
    },
  };

  function checkVectors(name: string, vectors: readonly Tensor[]): asserts vectors is readonly FloatTensor[] {
    for (const [index, x] of vectors.entries()) {
      check(name, x, floats);
      const { shape } = vectors[0]!;
      if (sameShape(shape, x.shape)) continue;
      throw shapeMismatch(
        name,
        `vectors[0] is ${formatShape(shape)}, vectors[${index}] is ${formatShape(x.shape)}.`,
        [shape, x.shape],
        'Vectors that share words must have one shape.',
      );
    }
  }

  function checkEncoded(
    name: string,
    encoded: EncodedBlocks,
    laws: readonly CodeLaw[],
  ): asserts encoded is EncodedBlocks<FloatTensor> {
    checkRecord(name, 'encoded', encoded);
    const { words, scales } = encoded;
    checkCount(name, 'scales', scales, laws);
    check(name, words, floats);
    const blocks = Math.ceil(sizeOf(words.shape) / codeBlockSize);
    const expected = blocks === 1 ? [] : [blocks];
    for (const [index, scale] of scales.entries()) {
      check(name, scale, floats);
      if (sameShape(expected, scale.shape)) continue;
      throw shapeMismatch(
        name,
        `scales[${index}] is ${formatShape(scale.shape)}; words ${formatShape(words.shape)} need ${formatShape(expected)}.`,
        [words.shape, scale.shape],
        `There is one scale for each block of ${codeBlockSize} words, a scalar where there is one block.`,
      );
    }
  }
}

function checkLaws(name: string, laws: readonly CodeLaw[]): void {
  checkArray(name, 'laws', laws);
  let sum = 0;
  for (const law of laws) {
    checkOptions(name, law, ['law', 'bits']);
    checkChoice(name, 'law', law.law, ['linear', 'square']);
    if (!Number.isInteger(law.bits) || law.bits < 3) {
      throw new LmdError('INVALID_ARGUMENT', `${name}: bits is ${describeValue(law.bits)}.`, {
        subject: 'bits',
        value: law.bits,
        remedy: 'Use an integer of at least 3.',
      });
    }
    sum += law.bits;
  }
  if (laws.length > 0 && sum <= wordBits) return;
  throw new LmdError('INVALID_ARGUMENT', `${name}: ${laws.length} codes of ${sum} bits together.`, {
    subject: 'laws',
    value: sum,
    remedy: `Pass at least one law, and no more than ${wordBits} bits.`,
  });
}

function checkCount(
  name: string,
  what: 'vectors' | 'scales' | 'keys',
  given: readonly (Tensor | RandomKey)[],
  laws: readonly CodeLaw[],
): void {
  checkArray(name, what, given);
  if (given.length === laws.length) return;
  throw new LmdError('INVALID_ARGUMENT', `${name}: ${given.length} ${what} and ${laws.length} laws.`, {
    subject: what,
    value: given.length,
    remedy: 'Pass one for each law.',
  });
}

function checkWanted(name: string, wanted: readonly number[], laws: readonly CodeLaw[]): void {
  checkArray(name, 'wanted', wanted);
  for (const index of wanted) {
    if (Number.isInteger(index) && index >= 0 && index < laws.length) continue;
    throw new LmdError(
      'INVALID_ARGUMENT',
      `${name}: there is no vector ${describeValue(index)}; there are ${laws.length} vectors.`,
      {
        subject: 'wanted',
        value: index,
        remedy: 'Pass indices of the laws.',
      },
    );
  }
}
