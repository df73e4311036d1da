import { describe, expect, it } from 'vitest';
import { createOperations, type EagerOperations, type RandomKey, sizeOf, type Tensor } from '../index.js';
import { philox4x32 } from '../random/philox.js';
import { createTestBackend, expectTensor } from '../testing/index.js';

const key: RandomKey = { seed: 9, stream: 8, step: 7, sample: 6 };
const backend = createTestBackend();
const ops = createOperations(backend);

/** 0, 1, 2, … */
function range(shape: readonly number[]): Tensor {
  return ops.fromData(
    Array.from({ length: sizeOf(shape) }, (_, i) => i),
    shape,
  );
}

describe('elementwise operations', () => {
  it('broadcast, and take numbers on either side without leaving anything behind', async () => {
    const x = ops.fromData([1, 2, 3, 4, 5, 6], [2, 3]);
    const before = backend.memory().tensors;
    const results = [
      ops.add(x, ops.fromData([10, 20], [2, 1])),
      ops.subtract(1, x),
      ops.divide(ops.fromData([6, 12, 18]), x),
      ops.maximum(x, 3.5),
    ];
    expect(backend.memory().tensors).toBe(before + results.length + 2);
    await expectTensor(ops, results[0]!, [2, 3], [11, 12, 13, 24, 25, 26]);
    await expectTensor(ops, results[1]!, [2, 3], [0, -1, -2, -3, -4, -5]);
    await expectTensor(ops, results[2]!, [2, 3], [6, 6, 6, 1.5, 2.4, 3], 1e-7);
    await expectTensor(ops, results[3]!, [2, 3], [3.5, 3.5, 3.5, 4, 5, 6]);
    await expectTensor(ops, ops.multiply(2, 3), [], [6]);
  });

  it('compare and choose, where a number has the dtype beside it', async () => {
    const i = ops.fromData(new Int32Array([1, 2, 3]));
    const isTwo = ops.equal(i, 2);
    expect(isTwo.dtype).toBe('i32');
    await expectTensor(ops, isTwo, [3], [0, 1, 0]);
    const chosen = ops.where(isTwo, i, -1);
    expect(chosen.dtype).toBe('i32');
    await expectTensor(ops, chosen, [3], [-1, 2, -1]);
    await expectTensor(ops, ops.where(isTwo, Number.NaN, ops.fromData([5], [1, 1])), [1, 3], [5, Number.NaN, 5]);
    await expectTensor(ops, ops.greater(2, ops.fromData([1, 2, Number.NaN])), [3], [1, 0, 0]);
  });

  it('cast, also to what it is, as a new handle', async () => {
    const x = ops.fromData([1.9, -1.9]);
    await expectTensor(ops, ops.cast(x, 'i32'), [2], [1, -1]);
    const same = ops.cast(x, 'f32');
    expect(same).not.toBe(x);
    ops.dispose(same);
    expect(ops.isDisposed(x)).toBe(false);
  });
});

describe('reductions', () => {
  const x = range([2, 3, 2]);

  it('take all axes, one, several in any order, or none', async () => {
    await expectTensor(ops, ops.sum(x), [], [66]);
    await expectTensor(ops, ops.sum(x, { axes: -1 }), [2, 3], [1, 5, 9, 13, 17, 21]);
    await expectTensor(ops, ops.mean(x, { axes: [2, 0] }), [3], [3.5, 5.5, 7.5]);
    await expectTensor(ops, ops.max(x, { axes: 1, keepDims: true }), [2, 1, 2], [4, 5, 10, 11]);
    await expectTensor(ops, ops.mean(x, { keepDims: true }), [1, 1, 1], [5.5]);
    const copy = ops.sum(x, { axes: [] });
    expect(copy).not.toBe(x);
    expect(copy.shape).toEqual([2, 3, 2]);
  });

  it('find the first maximum', async () => {
    await expectTensor(ops, ops.argMax(ops.fromData([1, 3, 3, 2, 0, 0], [2, 3])), [2], [1, 0]);
    await expectTensor(ops, ops.argMax(ops.fromData([1, 3, 3, 2, 0, 0], [2, 3]), 0), [3], [1, 0, 0]);
  });

  it('leave only their result', () => {
    const before = backend.memory().tensors;
    ops.dispose(ops.mean(x, { axes: [0, 1], keepDims: true }));
    expect(backend.memory().tensors).toBe(before);
  });
});

describe('matmul', () => {
  const shapes: [number[], number[]][] = [
    [
      [2, 3],
      [3, 4],
    ],
    [
      [5, 2, 3],
      [5, 3, 4],
    ],
    [
      [5, 2, 3],
      [3, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
    ],
    [
      [2, 5, 2, 3],
      [2, 5, 3, 4],
    ],
    [
      [2, 5, 2, 3],
      [3, 4],
    ],
    [
      [1, 2, 3],
      [1, 3, 1],
    ],
  ];
  const flags = [false, true].flatMap((transposeA) => [false, true].map((transposeB) => ({ transposeA, transposeB })));

  it.each(shapes.flatMap(([a, b]) => flags.map((options) => ({ a, b, ...options }))))(
    '$a · $b, transposed: $transposeA $transposeB',
    async ({ a, b, transposeA, transposeB }) => {
      const swap = (shape: number[], really: boolean) =>
        really ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
      const left = range(swap(a, transposeA));
      const right = range(swap(b, transposeB));
      const before = backend.memory().tensors;
      const product = ops.matmul(left, right, { transposeA, transposeB });
      expect(backend.memory().tensors).toBe(before + 1);

      const plainA = transposeA ? ops.transpose(left) : left;
      const plainB = transposeB ? ops.transpose(right) : right;
      const leading = a.length > 2 ? a.slice(0, -2) : b.slice(0, -2);
      const batch = sizeOf(leading);
      const [m, k, n] = [a.at(-2)!, a.at(-1)!, b.at(-1)!];
      const [dataA, dataB] = [await ops.read(plainA), await ops.read(plainB)];
      const want: number[] = [];
      for (let i = 0; i < batch * m * n; i++) {
        const [at, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n];
        let sum = 0;
        for (let j = 0; j < k; j++) {
          sum +=
            dataA[(a.length > 2 ? at * m * k : 0) + row * k + j]! *
            dataB[(b.length > 2 ? at * k * n : 0) + j * n + column]!;
        }
        want.push(sum);
      }
      await expectTensor(ops, product, [...leading, m, n], want);
    },
  );
});

describe('arrangement', () => {
  const x = range([2, 3]);

  it('reshapes, with one extent left open', async () => {
    await expectTensor(ops, ops.reshape(x, [-1]), [6], [0, 1, 2, 3, 4, 5]);
    expect(ops.reshape(x, [3, -1, 1]).shape).toEqual([3, 2, 1]);
  });

  it('transposes by default the last two axes, and counts axes from the end', async () => {
    await expectTensor(ops, ops.transpose(x), [3, 2], [0, 3, 1, 4, 2, 5]);
    expect(ops.transpose(range([2, 3, 4])).shape).toEqual([2, 4, 3]);
    expect(ops.transpose(range([2, 3, 4]), [-1, 0, 1]).shape).toEqual([4, 2, 3]);
    const same = ops.transpose(x, [0, 1]);
    expect(same).not.toBe(x);
  });

  it('slices, joins, spreads and fills', async () => {
    await expectTensor(ops, ops.slice(x, [0, 1], [2, 2]), [2, 2], [1, 2, 4, 5]);
    await expectTensor(ops, ops.concatenate([x, ops.zeros([2, 1])], -1), [2, 4], [0, 1, 2, 0, 3, 4, 5, 0]);
    await expectTensor(ops, ops.broadcastTo(ops.fromData([1, 2], [2, 1]), [2, 2]), [2, 2], [1, 1, 2, 2]);
    await expectTensor(ops, ops.pad(ops.fromData([1, 2]), [1], [2]), [5], [0, 1, 2, 0, 0]);
  });

  it('gathers and scatters rows', async () => {
    const indices = ops.fromData([1, 0, 1, 2], [2, 2], 'i32');
    const { NaN: none } = Number;
    await expectTensor(ops, ops.gather(x, indices), [2, 2, 3], [3, 4, 5, 0, 1, 2, 3, 4, 5, none, none, none]);
    await expectTensor(ops, ops.scatterAdd(indices, range([2, 2, 1]), 2), [2, 1], [1, 2]);
  });
});

describe('creation', () => {
  it('takes the dtype of the data, and numbers as f32', () => {
    expect(ops.fromData([1]).dtype).toBe('f32');
    expect(ops.fromData(new Float64Array(1)).dtype).toBe('f32');
    expect(ops.fromData(new Int32Array(1)).dtype).toBe('i32');
    expect(ops.fromData(new Uint8Array(1)).dtype).toBe('u8');
    expect(ops.fromData([1, 2], [2, 1], 'u8')).toMatchObject({ shape: [2, 1], dtype: 'u8' });
  });

  it('draws by key', async () => {
    const words = [...(await ops.read(ops.randomBits([5], key)))].map((word) => word >>> 0);
    const blocks = [0, 1].flatMap((block) => [...philox4x32([8, 7, 6, block], [9, 0])]);
    expect(words).toEqual(blocks.slice(0, 5));
    await expectTensor(
      ops,
      ops.randomUniform([5], key),
      [5],
      words.map((word) => (word >>> 8) / 2 ** 24),
    );
  });
});

describe('tensors without elements', () => {
  // None of these may reach the backend: it need not know how to compute nothing.
  const computing = [
    'exp',
    'add',
    'less',
    'where',
    'cast',
    'sum',
    'max',
    'matmul',
    'transpose',
    'slice',
    'concatenate',
  ];
  const strict = createTestBackend();
  const refusing = {
    ...strict,
    ...Object.fromEntries(
      [...computing, 'broadcastTo', 'pad', 'gather', 'scatterAdd', 'randomNormal', 'argMax'].map((name) => [
        name,
        () => {
          throw new Error(`${name} was called.`);
        },
      ]),
    ),
  };
  const none = createOperations(refusing as typeof strict);

  it.each<[string, readonly number[], (o: EagerOperations, e: Tensor) => Tensor]>([
    ['exp', [2, 0], (o, e) => o.exp(e)],
    ['add', [3, 2, 0], (o, e) => o.add(e, o.zeros([3, 1, 1]))],
    ['less', [2, 0], (o, e) => o.less(e, 1)],
    ['where', [2, 0], (o, e) => o.where(o.zeros([], 'i32'), e, 1)],
    ['cast', [2, 0], (o, e) => o.cast(e, 'i32')],
    ['max', [0], (o, e) => o.max(e, { axes: 0 })],
    ['argMax', [0], (o, e) => o.argMax(e, 0)],
    ['matmul', [2, 0], (o) => o.matmul(o.zeros([2, 3]), o.zeros([3, 0]))],
    ['transpose', [0, 2], (o, e) => o.transpose(e)],
    ['slice', [1, 0], (o) => o.slice(o.zeros([2, 2]), [0, 1], [1, 0])],
    ['concatenate', [4, 0], (o, e) => o.concatenate([e, e], 0)],
    ['broadcastTo', [5, 2, 0], (o, e) => o.broadcastTo(e, [5, 2, 0])],
    ['gather', [0, 3], (o) => o.gather(o.zeros([2, 3]), o.zeros([0], 'i32'))],
    ['randomNormal', [0], (o) => o.randomNormal([0], key)],
    ['softmax', [2, 0], (o, e) => o.softmax(e)],
    [
      'attention',
      [1, 1, 0, 4],
      (o) => o.attention(o.zeros([1, 1, 0, 2]), o.zeros([1, 1, 3, 2]), o.zeros([1, 1, 3, 4])),
    ],
    ['crossEntropy', [0], (o) => o.crossEntropy(o.zeros([0, 5]), o.zeros([0], 'i32'))],
    ['fakeQuantize', [2, 0], (o, e) => o.roundToBfloat16(e)],
  ])('%s gives %j', (_, shape, make) => {
    expect(make(none, none.zeros([2, 0])).shape).toEqual(shape);
  });

  it('sum to 0, have no mean, and contract to 0', async () => {
    const e = none.zeros([2, 0]);
    await expectTensor(none, none.sum(e, { axes: 1 }), [2], [0, 0]);
    await expectTensor(none, none.mean(e), [], [Number.NaN]);
    await expectTensor(none, none.matmul(e, none.zeros([0, 1])), [2, 1], [0, 0]);
    await expectTensor(none, none.pad(none.zeros([0]), [1], [1]), [2], [0, 0]);
    await expectTensor(none, none.gather(none.zeros([0, 1]), none.zeros([2], 'i32')), [2, 1], [Number.NaN, Number.NaN]);
    await expectTensor(none, none.scatterAdd(none.zeros([0], 'i32'), none.zeros([0, 1]), 2), [2, 1], [0, 0]);
  });

  it('leave the others of a concatenation', async () => {
    await expectTensor(ops, ops.concatenate([ops.zeros([0]), ops.fromData([1, 2]), ops.zeros([0])], 0), [2], [1, 2]);
  });
});
