import { describe, expect, it } from 'vitest';
import {
  type Backend,
  createOperations,
  type EagerOperations,
  type FloatTensor,
  LmdError,
  type Tensor,
} from './index.js';
import { createTestBackend, expectTensor } from './testing/index.js';

const key = { seed: 1, stream: 2, step: 3, sample: 4 };

describe('createOperations', () => {
  it('refuses another version of the contract, naming both', () => {
    const backend = { ...createTestBackend(), specVersion: 'lmd-backend-v7' } as unknown as Backend;
    expect(() => createOperations(backend)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(/"test" has lmd-backend-v7, but @lmd\/core \S+ takes lmd-backend-v1/),
      }),
    );
  });

  it('refuses a backend without some primitive, naming it', () => {
    const { erf, gather, ...rest } = createTestBackend();
    expect(() => createOperations(rest as Backend)).toThrow('Backend "test" lacks erf, gather.');
  });

  it('calls a backend that is a class instance with its own `this`', async () => {
    class Wrapper {
      readonly inner = createTestBackend();
      exp(x: FloatTensor) {
        return this.inner.exp(x);
      }
    }
    const wrapper = new Wrapper();
    const backend = Object.setPrototypeOf(
      { ...wrapper.inner, exp: undefined, inner: wrapper.inner },
      Wrapper.prototype,
    );
    backend.exp = Wrapper.prototype.exp;
    const ops = createOperations(backend as Backend);
    await expectTensor(ops, ops.exp(ops.zeros([1])), [1], [1]);
  });
});

/** Each mistake with the code and a part of the message that it must give. */
const mistakes: [string, string, string, (ops: EagerOperations, x: Shapes) => unknown][] = [
  ['an f32 operation of integers', 'DTYPE_MISMATCH', 'exp: expected an f32 tensor, got i32 [3]', (o, x) => o.exp(x.i3)],
  [
    'shapes that do not broadcast',
    'SHAPE_MISMATCH',
    'add: [2, 3] and [4] do not broadcast: extents 3 and 4 differ.',
    (o, x) => o.add(x.f23, x.f4),
  ],
  ['arithmetic on integers', 'DTYPE_MISMATCH', 'multiply: expected an f32', (o, x) => o.multiply(2, x.i3)],
  ['a string for a number', 'INVALID_ARGUMENT', 'add: expected a tensor, got "2"', (o, x) => o.add(x.f4, '2' as never)],
  [
    'a comparison of two dtypes',
    'DTYPE_MISMATCH',
    'less: expected an f32 tensor, got i32',
    (o, x) => o.less(x.f23, x.i3),
  ],
  ['a comparison of bytes', 'DTYPE_MISMATCH', 'equal: expected an f32 or i32', (o, x) => o.equal(x.u2, x.u2)],
  [
    'a fraction beside integers',
    'INVALID_ARGUMENT',
    'less: 0.5 is not a value of dtype i32',
    (o, x) => o.less(x.i3, 0.5),
  ],
  ['a condition of f32', 'DTYPE_MISMATCH', 'where: expected an i32', (o, x) => o.where(x.f4, 1, 2)],
  ['branches of two dtypes', 'DTYPE_MISMATCH', 'where: expected an f32', (o, x) => o.where(x.i3, x.f23, x.i3)],
  [
    'a cast of bytes',
    'DTYPE_MISMATCH',
    'cast: expected an f32 or i32 tensor, got u8 [2]. No operation converts u8: bytes are converted by read() ' +
      'and fromData().',
    (o, x) => o.cast(x.u2, 'f32'),
  ],
  [
    'a cast to bytes',
    'DTYPE_MISMATCH',
    'cast: dtype is "u8". Use "f32" or "i32"; bytes are converted by read() and fromData().',
    (o, x) => o.cast(x.i3, 'u8'),
  ],
  ['a cast to something else', 'DTYPE_MISMATCH', 'cast: dtype is "f16". Use', (o, x) => o.cast(x.f4, 'f16' as never)],
  [
    'an axis out of range',
    'INVALID_ARGUMENT',
    'sum: axis 2 of a tensor of rank 2.',
    (o, x) => o.sum(x.f23, { axes: 2 }),
  ],
  [
    'an axis twice',
    'INVALID_ARGUMENT',
    'mean: axis 1 occurs twice in [1, -1]',
    (o, x) => o.mean(x.f23, { axes: [1, -1] }),
  ],
  [
    'an unknown option',
    'UNKNOWN_OPTION',
    'sum has no option "keepdims". Did you mean "keepDims"? Its options are axes, keepDims.',
    (o, x) => o.sum(x.f23, { keepdims: true } as never),
  ],
  ['the maximum of nothing', 'SHAPE_MISMATCH', 'max: [2, 0]', (o) => o.max(o.zeros([2, 0]), { axes: 1 })],
  ['the position of no maximum', 'SHAPE_MISMATCH', 'argMax: [2, 0]', (o) => o.argMax(o.zeros([2, 0]))],
  [
    'inner extents that differ',
    'SHAPE_MISMATCH',
    'matmul: [2, 3] · [2, 3]: the inner extents 3 and 2 differ.',
    (o, x) => o.matmul(x.f23, x.f23),
  ],
  [
    'inner extents that differ, transposed',
    'SHAPE_MISMATCH',
    'matmul: [2, 3]ᵀ · [2, 3]ᵀ: the inner extents 2 and 3',
    (o, x) => o.matmul(x.f23, x.f23, { transposeA: true, transposeB: true }),
  ],
  [
    'a product with a vector',
    'SHAPE_MISMATCH',
    'matmul: [2, 3] · [4]: both operands need at least 2 axes.',
    (o, x) => o.matmul(x.f23, x.f4),
  ],
  [
    'leading axes that differ',
    'SHAPE_MISMATCH',
    'matmul: [5, 2, 3] · [4, 3, 2]: the leading axes differ.',
    (o) => o.matmul(o.zeros([5, 2, 3]), o.zeros([4, 3, 2])),
  ],
  [
    'a misspelt option of a product',
    'UNKNOWN_OPTION',
    'transposeB',
    (o, x) => o.matmul(x.f23, x.f23, { transB: true } as never),
  ],
  [
    'a reshape to another size',
    'SHAPE_MISMATCH',
    'reshape: [2, 3] has 6 elements, [4] has 4.',
    (o, x) => o.reshape(x.f23, [4]),
  ],
  [
    'a reshape that does not divide',
    'SHAPE_MISMATCH',
    '6 elements do not divide by 4',
    (o, x) => o.reshape(x.f23, [4, -1]),
  ],
  ['a reshape with two unknowns', 'INVALID_ARGUMENT', 'reshape: the shape is', (o, x) => o.reshape(x.f23, [-1, -1])],
  ['an unknown beside zero', 'SHAPE_MISMATCH', 'could be anything', (o) => o.reshape(o.zeros([0, 3]), [0, -1])],
  [
    'no permutation',
    'INVALID_ARGUMENT',
    'transpose: [0, 0] is not a permutation of the axes of [2, 3].',
    (o, x) => o.transpose(x.f23, [0, 0]),
  ],
  ['a transpose of a vector', 'SHAPE_MISMATCH', 'no last two axes', (o, x) => o.transpose(x.f4)],
  [
    'a slice beyond the end',
    'SHAPE_MISMATCH',
    'slice: begin [0, 2], size [2, 2] does not lie in [2, 3].',
    (o, x) => o.slice(x.f23, [0, 2], [2, 2]),
  ],
  ['a concatenation of nothing', 'INVALID_ARGUMENT', 'got no tensors', (o) => o.concatenate([], 0)],
  [
    'a concatenation that does not fit',
    'SHAPE_MISMATCH',
    'concatenate: [2, 3] and [2, 4] differ in an axis other than 0.',
    (o, x) => o.concatenate([x.f23, o.zeros([2, 4])], 0),
  ],
  ['a concatenation of two dtypes', 'DTYPE_MISMATCH', 'concatenate', (o, x) => o.concatenate([x.f4, x.i3], 0)],
  [
    'a broadcast that does not fit',
    'SHAPE_MISMATCH',
    'broadcastTo: [4] does not broadcast to [4, 2].',
    (o, x) => o.broadcastTo(x.f4, [4, 2]),
  ],
  [
    'a negative padding',
    'SHAPE_MISMATCH',
    'pad: before [-1] and after [0] around [4]',
    (o, x) => o.pad(x.f4, [-1], [0]),
  ],
  ['f32 indices', 'DTYPE_MISMATCH', 'gather: expected an i32', (o, x) => o.gather(x.f23, x.f4)],
  ['rows of a scalar', 'SHAPE_MISMATCH', 'gather: a scalar has no rows', (o, x) => o.gather(o.full([], 1), x.i3)],
  [
    'updates that do not fit',
    'SHAPE_MISMATCH',
    'scatterAdd: updates [2, 3] do not start with the shape of the indices [3].',
    (o, x) => o.scatterAdd(x.i3, x.f23, 4),
  ],
  ['half a row', 'INVALID_ARGUMENT', 'scatterAdd: rows is 0.5', (o, x) => o.scatterAdd(x.i3, o.zeros([3]), 0.5)],
  ['a shape with a fraction', 'INVALID_ARGUMENT', 'zeros: the shape is [1.5]', (o) => o.zeros([1.5])],
  ['a shape that is a number', 'INVALID_ARGUMENT', 'full: the shape is 3', (o) => o.full(3 as never, 1)],
  [
    'a value beyond the dtype',
    'INVALID_ARGUMENT',
    'full: 256 is not a value of dtype u8. Use an integer from 0 to 255.',
    (o) => o.full([1], 256, 'u8'),
  ],
  [
    'blocks beyond 31 bits',
    'INVALID_ARGUMENT',
    'fakeQuantize: format.blockSize is 2147483648. Use a whole number from 1 to 2147483647',
    (o, x) => {
      const element = { name: 'e2m1', kind: 'float', mantissaBits: 1, emin: 0, emax: 2, largest: 6 } as never;
      return o.fakeQuantize(x.f4, { format: { name: 'f', scale: 'e8m0', blockSize: 2 ** 31, element }, axis: 0 });
    },
  ],
  ['an unknown dtype', 'INVALID_ARGUMENT', 'dtype is "f64"', (o) => o.full([1], 1, 'f64' as never)],
  [
    'data of another length',
    'SHAPE_MISMATCH',
    'fromData: 2 values for shape [3], which has 3 elements.',
    (o) => o.fromData([1, 2], [3]),
  ],
  [
    'data of another kind',
    'DTYPE_MISMATCH',
    'fromData: data is an Int32Array, and dtype is "f32".',
    (o) => o.fromData(new Int32Array(1), [1], 'f32'),
  ],
  [
    'an array of another kind to read into',
    'DTYPE_MISMATCH',
    'readInto: into is an Int32Array, but the tensor is f32. Use a Float32Array for f32',
    (o, x) => o.readInto(x.f4, new Int32Array(4)),
  ],
  [
    'an array of another size to read into',
    'SHAPE_MISMATCH',
    'readInto: into has 3 elements, and the tensor of shape [4] has 4.',
    (o, x) => o.readInto(x.f4, new Float32Array(3)),
  ],
  [
    'a fraction among integers',
    'INVALID_ARGUMENT',
    'fromData: 0.5 is not a value of dtype i32',
    (o) => o.fromData([1, 0.5], [2], 'i32'),
  ],
  [
    'a key out of range',
    'INVALID_ARGUMENT',
    'randomNormal: key.step is -1. It must be an integer in [0, 2^32).',
    (o) => o.randomNormal([1], { ...key, step: -1 }),
  ],
  [
    'too many elements',
    'UNSUPPORTED',
    'zeros: shape [1000, 1001] has 1001000 elements. Backend "test" holds at most 1000000',
    (o) => o.zeros([1000, 1001]),
  ],
  [
    'too many elements by broadcasting',
    'UNSUPPORTED',
    'add: shape [1001, 1000]',
    (o) => o.add(o.zeros([1001, 1]), o.zeros([1000])),
  ],
  ['softmax of a scalar', 'SHAPE_MISMATCH', 'softmax: a scalar has no last axis', (o) => o.softmax(o.full([], 1))],
  [
    'a gain of another width',
    'SHAPE_MISMATCH',
    'layerNorm: gain [4] does not fit the last axis of [2, 3].',
    (o, x) => o.layerNorm(x.f23, x.f4, x.f4),
  ],
  [
    'a negative epsilon',
    'INVALID_ARGUMENT',
    'layerNorm: epsilon is -1. Use a finite number of at least 0.',
    (o, x) => o.layerNorm(x.f23, o.zeros([3]), o.zeros([3]), -1),
  ],
  [
    'an unknown approximation',
    'INVALID_ARGUMENT',
    'gelu: approximation is "erf". Use "none", "tanh".',
    (o, x) => o.gelu(x.f4, 'erf' as never),
  ],
  [
    'a dy of another shape',
    'SHAPE_MISMATCH',
    'geluGradient: [2, 3] and dy [4] differ.',
    (o, x) => o.geluGradient(x.f23, x.f4),
  ],
  [
    'labels that do not fit',
    'SHAPE_MISMATCH',
    'crossEntropy: logits [2, 3] and labels [3]; they must be [rows, classes] and [rows].',
    (o, x) => o.crossEntropy(x.f23, x.i3),
  ],
  [
    'heads that do not fit',
    'SHAPE_MISMATCH',
    'attention: query [1, 1, 2, 3], key [1, 1, 2, 4], value [1, 1, 2, 4] do not fit.',
    (o) => o.attention(o.zeros([1, 1, 2, 3]), o.zeros([1, 1, 2, 4]), o.zeros([1, 1, 2, 4])),
  ],
  [
    'an unknown attention option',
    'UNKNOWN_OPTION',
    'attention has no option "mask". Its options are scale, causal.',
    (o) => o.attention(o.zeros([1, 1, 2, 3]), o.zeros([1, 1, 2, 3]), o.zeros([1, 1, 2, 3]), { mask: 1 } as never),
  ],
];

interface Shapes {
  f23: Tensor;
  f4: Tensor;
  i3: Tensor;
  u2: Tensor;
}

describe('a mistake', () => {
  it.each(mistakes)('%s: %s', (_, code, message, make) => {
    const backend = createTestBackend({ maxElements: 1_000_000 });
    const ops = createOperations(backend);
    ops.scope(() => {
      const x = { f23: ops.zeros([2, 3]), f4: ops.zeros([4]), i3: ops.zeros([3], 'i32'), u2: ops.zeros([2], 'u8') };
      let error: unknown;
      try {
        make(ops, x);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(LmdError);
      expect((error as LmdError).message).toContain(message);
      expect((error as LmdError).code).toBe(code);
    });
    expect(backend.memory().tensors).toBe(0);
  });
});

describe('customGradient', () => {
  it('runs forward and frees its intermediates', async () => {
    const backend = createTestBackend();
    const ops = createOperations(backend);
    const x = ops.fromData([1, 2]);
    const backward = () => [null];
    const y = ops.customGradient([x], { forward: (inner, [a]) => inner.negate(inner.add(a!, 1)), backward });
    await expectTensor(ops, y, [2], [-2, -3]);
    expect(backend.memory().tensors).toBe(2);
  });

  it('gives a handle of its own where forward hands on its input', async () => {
    const ops = createOperations(createTestBackend());
    const x = ops.fromData([1, 2]);
    const y = ops.customGradient([x], { forward: (_, [a]) => a!, backward: (_, dy) => [dy] });
    ops.dispose(x);
    await expectTensor(ops, y, [2], [1, 2]);
  });
});
