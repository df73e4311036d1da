import { describe, expect, it } from 'vitest';
import { createOperations, type EagerOperations, isLmdError, type Tensor } from '../index.js';
import { createTestBackend, e2m1 } from '../testing/index.js';

/** xorshift32: the same arguments in every run. */
function randomIntegers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const key = { seed: 1, stream: 2, step: 3, sample: 4 };
const element = e2m1;
const lmdOptions = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.9,
  regularization: 0.1,
  regularizer: 'logNormalPrior',
  noise: 0.1,
  gradientScaling: 'sample',
  useSign: true,
};
const adamwOptions = { learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, weightDecay: 0, step: 1 };
const laws = [{ law: 'linear', bits: 8 }];

/**
 * Every operation with arguments that are right. `t` is f32 [2, 3], `m` f32 [3, 3], `v` f32 [3], `i` i32 [2], `s` a
 * scalar, `q` f32 [1, 1, 2, 3].
 */
type Tensors = Readonly<Record<'t' | 'm' | 'v' | 'i' | 's' | 'q' | 'u', Tensor>>;
const calls = ({ t, m, v, i, s, q }: Tensors): Record<string, readonly unknown[]> => {
  const unary = ['negate', 'absolute', 'sign', 'exp', 'log', 'sqrt', 'tanh', 'erf', 'round', 'softmax', 'gelu'];
  const binary = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'equal', 'greater', 'less'];
  const all: Record<string, readonly unknown[]> = {
    fromData: [[1, 2], [2], 'f32'],
    full: [[2, 3], 1, 'f32'],
    zeros: [[2], 'i32'],
    cast: [t, 'i32'],
    where: [i, 1, 2],
    sum: [t, { axes: [0], keepDims: true }],
    mean: [t, { axes: 1 }],
    max: [t, { axes: -1 }],
    argMax: [t, 1],
    matmul: [t, m, { transposeA: false, transposeB: true }],
    reshape: [t, [3, -1]],
    transpose: [t, [1, 0]],
    slice: [t, [0, 1], [2, 2]],
    concatenate: [[t, m], 0],
    broadcastTo: [v, [2, 3]],
    pad: [t, [0, 1], [1, 0]],
    gather: [t, i],
    scatterAdd: [i, t, 4],
    randomBits: [[2, 2], key],
    randomUniform: [[3], key],
    randomNormal: [[3], key],
    layerNorm: [t, v, v, 1e-5],
    crossEntropy: [t, i],
    attention: [q, q, q, { scale: 1, causal: true }],
    fakeQuantize: [
      t,
      { format: { name: 'f', element, blockSize: 2, scale: 'e8m0' }, axis: 1, rounding: 'stochastic', key },
    ],
    roundToBfloat16: [t],
    softmaxGradient: [t, t],
    layerNormGradient: [t, v, t, 1e-5],
    geluGradient: [t, t, 'tanh'],
    crossEntropyGradient: [t, i, i],
    attentionGradient: [q, q, q, q, { scale: 1 }],
    lmdDraw: [t, t, 0.1, key],
    lmdUpdate: [{ logPlus: t, logMinus: t, momentumPlus: t, momentumMinus: t }, [t], [key], s, lmdOptions],
    adamwUpdate: [{ weights: t, firstMoment: t, secondMoment: t }, t, adamwOptions],
    weightedSum: [t, 0.9, t, 0.1],
    encodeBlocks: [[t], laws, [key]],
    decodeBlocks: [{ words: t, scales: [s] }, laws, [0]],
    customGradient: [[t], { forward: (ops: EagerOperations, [x]: Tensor[]) => ops.negate(x!), backward: () => [null] }],
    scope: [() => 1],
    keep: [t],
    adopt: [{ shape: [2], dtype: 'f32' }],
    isDisposed: [t],
    read: [t],
    dispose: [[]],
  };
  for (const name of unary) all[name] = [t];
  for (const name of binary) all[name] = [t, 2];
  return all;
};

describe('operations with malformed arguments', () => {
  it('refuse them by name and leave nothing behind: 10,000 calls', async () => {
    const next = randomIntegers(20_261_130);
    const pick = <T>(choices: readonly T[]): T => choices[next(choices.length)]!;
    const backend = createTestBackend({ maxElements: 4096 });
    const ops = createOperations(backend);
    const tensors: Tensors = {
      t: ops.fromData([1, 2, 3, 4, 5, 6], [2, 3]),
      m: ops.zeros([3, 3]),
      v: ops.zeros([3]),
      i: ops.fromData(Int32Array.of(0, 1)),
      s: ops.full([], 1),
      q: ops.zeros([1, 1, 2, 3]),
      u: ops.fromData(Uint8Array.of(1, 2)),
    };
    const freed = ops.zeros([2, 3]);
    ops.dispose(freed);
    const foreign = createOperations(createTestBackend()).zeros([2, 3]);
    const odd: unknown[] = [
      ...[
        undefined,
        null,
        Number.NaN,
        Infinity,
        -1,
        -3,
        0,
        0.5,
        2 ** 31,
        2 ** 53,
        10n,
        '',
        '1',
        'f64',
        true,
        Symbol('x'),
      ],
      ...[
        [],
        {},
        [[]],
        [Number.NaN, 2],
        [-1],
        [-1, -1],
        [2 ** 49, 0],
        [2 ** 40, 2 ** 40],
        [1e308, 1e308],
        ['2'],
        new Array(2),
      ],
      ...[Object.create(null), { axes: 7 }, { axes: 'x' }, { length: 2 }, () => 1, new Date(0), { toString: 1 }],
      ...[new Float64Array(2), new Uint32Array(2), new DataView(new ArrayBuffer(8)), foreign, freed, [freed], [null]],
      ...Object.values(tensors),
    ];
    /** One part of a value, at any depth, replaced by something odd. */
    const broken = (value: unknown): unknown => {
      const isPart = typeof value === 'object' && value !== null && !Object.values(tensors).includes(value as Tensor);
      if (!isPart || next(3) === 0 || Object.keys(value).length === 0) return pick(odd);
      const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
      const part = pick(Object.keys(copy));
      if (next(6) === 0) copy.colour = 'red';
      else copy[part] = broken(copy[part]);
      return copy;
    };
    const held = (): Set<object> => new Set(Object.values(tensors));
    const outcomes = { given: 0, refused: 0 };
    for (let n = 0; n < 10_000; n++) {
      const all = calls(tensors);
      const name = pick(Object.keys(all));
      const own = [...all[name]!];
      const at = next(own.length);
      own[at] = broken(own[at]);
      // These free or take what they are given, which is no mistake.
      if (name === 'dispose' && own.some((x) => ownTensors(x, held()).length > 0)) continue;
      if (name === 'adopt')
        own[0] = pick([undefined, null, 1, 'x', {}, [], { shape: 2, dtype: 'f32' }, { shape: [2] }]);
      const before = backend.memory();
      try {
        const operation = ops[name as keyof EagerOperations] as (...given: unknown[]) => unknown;
        const result = await operation(...own);
        const made = resultTensors(result).filter((x) => !held().has(x));
        if (name !== 'scope') ops.dispose(made);
        outcomes.given++;
      } catch (error) {
        if (!isLmdError(error)) throw new Error(`${name} threw ${String(error)}`, { cause: error });
        expect(error.message).toMatch(new RegExp(`^(${name}|[a-zA-Z]+)[: ]`));
        expect(error.code).toMatch(
          /^(INVALID_ARGUMENT|UNKNOWN_OPTION|SHAPE_MISMATCH|DTYPE_MISMATCH|TENSOR_DISPOSED|UNSUPPORTED)$/,
        );
        outcomes.refused++;
      }
      expect([name, backend.memory()]).toEqual([name, before]);
    }
    // Neither everything nor nothing is refused, or the arguments are too broken or too whole to tell.
    expect(outcomes.given).toBeGreaterThan(500);
    expect(outcomes.refused).toBeGreaterThan(5000);
  });
});

function ownTensors(value: unknown, held: ReadonlySet<object>): object[] {
  return resultTensors(value).filter((x) => held.has(x));
}

/** The tensors in a result: itself, or the parts of an array or a record. */
function resultTensors(value: unknown): Tensor[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (typeof (value as Partial<Tensor>).dtype === 'string' && Array.isArray((value as Partial<Tensor>).shape)) {
    return [value as Tensor];
  }
  return Object.values(value).flatMap((part) => resultTensors(part));
}
