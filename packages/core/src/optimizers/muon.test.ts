import { describe, expect, it } from 'vitest';
import { disposeState, type MuonOptions, muon } from '../index.js';
import { orthogonalize } from './orthogonalize.js';
import { expectClose, follow, randomNumbers, tensors, testOperations, values } from './test-support.js';

type Matrix = readonly (readonly number[])[];
const cells = (rows: number, columns: number, of: (i: number, j: number) => number): Matrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => of(i, j)));
const transposed = (a: Matrix) => cells(a[0]!.length, a.length, (i, j) => a[j]![i]!);
const product = (a: Matrix, b: Matrix) =>
  cells(a.length, b[0]!.length, (i, j) => a[i]!.reduce((sum, x, k) => sum + x * b[k]![j]!, 0));
const combined = (s: number, a: Matrix, t: number, b: Matrix) =>
  cells(a.length, a[0]!.length, (i, j) => s * a[i]![j]! + t * b[i]![j]!);
const matrixOf = (flat: readonly number[], columns: number) =>
  cells(flat.length / columns, columns, (i, j) => flat[i * columns + j]!);

/** Σ of odd powers of the matrix, without regard to which side is longer. */
function newtonSchulz(matrix: Matrix, iterations: number): Matrix {
  const norm = Math.max(Math.hypot(...matrix.flat()), 1e-7);
  let x = combined(1 / norm, matrix, 0, matrix);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const cubed = product(product(x, transposed(x)), x);
    const fifth = product(product(x, transposed(x)), cubed);
    x = combined(1, combined(3.4445, x, -4.775, cubed), 2.0315, fifth);
  }
  return x;
}

type Settings = Required<Omit<MuonOptions, 'iterationFormat'>>;

/** Muon in plain float64. */
function reference(
  initial: readonly number[],
  gradients: readonly (readonly number[])[],
  columns: number,
  options: Settings,
) {
  const { momentum: mu, nesterov, weightDecay, scale, iterations } = options;
  const rate = options.learningRate as number;
  let weight = matrixOf(initial, columns);
  const rows = weight.length;
  let momentum = combined(0, weight, 0, weight);
  const factor = {
    matchRms: 0.2 * Math.sqrt(Math.max(rows, columns)),
    spectral: Math.sqrt(Math.max(1, columns / rows)),
    none: 1,
  };
  for (const flat of gradients) {
    const gradient = matrixOf(flat, columns);
    momentum = combined(mu, momentum, 1 - mu, gradient);
    const direction = newtonSchulz(nesterov ? combined(mu, momentum, 1 - mu, gradient) : momentum, iterations);
    weight = combined(1 - rate * weightDecay, weight, -rate * factor[scale], direction);
  }
  return { weight: weight.flat(), momentum: momentum.flat() };
}

function matrixTrial(rows: number, columns: number, steps = 8) {
  const random = randomNumbers(rows * 100 + columns);
  const draw = () => Array.from({ length: rows * columns }, () => random() * 2 - 1);
  return { initial: draw(), gradients: Array.from({ length: steps }, draw), shape: [rows, columns] };
}

const defaults: Settings = {
  ...{ learningRate: 1e-3, momentum: 0.95, nesterov: true, weightDecay: 0.01, scale: 'matchRms', iterations: 5 },
};

describe('muon', () => {
  it.each<[string, readonly [number, number], MuonOptions]>([
    ['the defaults, wide', [3, 5], {}],
    ['the defaults, tall', [6, 2], {}],
    ['spectral, wide', [2, 6], { scale: 'spectral', learningRate: 0.1, weightDecay: 0.5 }],
    ['spectral, tall', [6, 2], { scale: 'spectral', learningRate: 0.1, weightDecay: 0 }],
    ['without scale and Nesterov', [4, 4], { scale: 'none', nesterov: false, learningRate: 0.1, momentum: 0.5 }],
    ['one iteration, no momentum', [3, 4], { iterations: 1, momentum: 0, learningRate: 0.1 }],
  ])('follows its formula in float64: %s', async (_, [rows, columns], options) => {
    const { initial, gradients, shape } = matrixTrial(rows, columns);
    const expected = reference(initial, gradients, columns, { ...defaults, ...options } as Settings);
    const end = await follow(muon(options), initial, gradients, testOperations(), shape);
    expectClose(end.weight!, expected.weight, 0, 2e-5);
    expectClose(end.momentum!, expected.momentum, 1e-5, 1e-7);
  });

  it('takes the same step for a gradient of any size', async () => {
    const { initial, gradients, shape } = matrixTrial(4, 3, 1);
    const stepOf = async (size: number) =>
      (
        await follow(
          muon({ learningRate: 0.1 }),
          initial,
          [gradients[0]!.map((g) => g * size)],
          testOperations(),
          shape,
        )
      ).weight!;
    expectClose(await stepOf(1e-4), await stepOf(1), 0, 1e-5);
    expectClose(await stepOf(1e6), await stepOf(1), 0, 1e-5);
  });

  it.each(['f32', 'bf16'] as const)(
    'does not move without a gradient but by decay, and shows a NaN: %s',
    async (iterationFormat) => {
      const rule = muon({ learningRate: 0.5, weightDecay: 0.2, iterationFormat });
      const still = await follow(rule, [1, -2, 3, 4], [[0, 0, 0, 0]], testOperations(), [2, 2]);
      expectClose(still.weight!, [0.9, -1.8, 2.7, 3.6]);
      const spoilt = await follow(rule, [1, -2, 3, 4], [[Number.NaN, 0, 0, 1]], testOperations(), [2, 2]);
      for (const w of spoilt.weight!) expect(w).toBeNaN();
    },
  );

  it.each([[[3]], [[2, 2, 2]], [[]]])(
    'refuses a weight of shape %j by name, and leaves nothing behind',
    async (shape) => {
      const ops = testOperations();
      const weights = { matrix: ops.zeros([2, 2]), other: ops.zeros(shape) };
      const held = ops.memory().tensors;
      await expect(muon().init(ops, weights)).rejects.toThrow(/muon: the weight "other" has shape .* AdamW group/);
      expect(() => muon().initFromScales!(ops, weights, new Map())).toThrow(/"other"/);
      expect(ops.memory().tensors).toBe(held);
    },
  );

  it('starts from zeros, and from scales that it ignores', async () => {
    const ops = testOperations();
    const weights = { w: ops.zeros([2, 3]) };
    const state = muon().initFromScales!(ops, weights, new Map());
    expect(Object.keys(state.tensors)).toEqual(['w/weight', 'w/momentum']);
    disposeState(ops, state);
    disposeState(ops, await muon().init(ops, weights));
    expect(ops.memory().tensors).toBe(1);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown option', { beta: 0.9 }, /muon has no option "beta"/],
    ['momentum = 1', { momentum: 1 }, /muon: momentum is 1/],
    ['no iterations', { iterations: 0 }, /muon: iterations is 0/],
    ['another scale', { scale: 'rms' }, /muon: scale is "rms"\. Use one of: matchRms, spectral, none/],
    ['another format', { iterationFormat: 'fp16' }, /muon: iterationFormat is "fp16"/],
  ])('refuses %s', (_, options, message) => {
    expect(() => muon(options as never)).toThrow(message);
  });
});

describe('orthogonalize', () => {
  /** Of singular values from 0.003 to 1 and singular vectors of rotations. */
  const singular = [1, 0.3, 0.05, 0.003];
  const rotation = (angle: number, i: number, j: number) =>
    cells(4, 4, (r, c) => {
      if (r === i && c === i) return Math.cos(angle);
      if (r === j && c === j) return Math.cos(angle);
      if (r === i && c === j) return -Math.sin(angle);
      if (r === j && c === i) return Math.sin(angle);
      return r === c ? 1 : 0;
    });
  const left = [rotation(0.7, 0, 1), rotation(1.1, 1, 2), rotation(-0.4, 2, 3)].reduce(product);
  const right = [rotation(-0.9, 0, 3), rotation(0.5, 1, 3), rotation(1.3, 0, 2)].reduce(product);
  const matrix = product(
    product(
      left,
      cells(4, 4, (i, j) => (i === j ? singular[i]! : 0)),
    ),
    right,
  );

  it.each([
    ['f32', 1e-4],
    ['bf16', 0.1],
  ] as const)('keeps singular vectors and brings singular values to about 1: %s', async (format, offDiagonal) => {
    const ops = testOperations();
    const result = await values(ops, orthogonalize(ops, ops.fromData(matrix.flat(), [4, 4]), 5, format));
    const diagonal = product(product(transposed(left), matrixOf(result, 4)), transposed(right));
    for (const [i, row] of diagonal.entries()) {
      for (const [j, x] of row.entries()) {
        if (i !== j) expect(Math.abs(x)).toBeLessThan(offDiagonal);
        else {
          expect(x).toBeGreaterThan(0.6);
          expect(x).toBeLessThan(1.25);
        }
      }
    }
  });

  it('rounds every result to BF16 if asked', async () => {
    const ops = testOperations();
    const given = tensors(ops, { x: matrix.flat() }).x!;
    const result = orthogonalize(ops, ops.reshape(given, [4, 4]), 5, 'bf16');
    expect(await values(ops, ops.roundToBfloat16(result))).toEqual(await values(ops, result));
  });
});
