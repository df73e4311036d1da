import {
  type Backend,
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type DType,
  type FloatTensor,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  isTypedArray,
  type OptionsOf,
  type OptionTable,
  option,
  type RandomKey,
  resolveOptions,
  sizeOf,
  type Tensor,
  type TensorData,
  type UnaryName,
  unaryNames,
} from '@lmd/core';
import { fakeQuantize, roundToBfloat16 } from '@lmd/mx-formats';
import { backendMarker } from '../made-by.js';
import { record } from '../record.js';
import {
  broadcastShape,
  broadcastStrides,
  reductionStrides,
  sameShape,
  stridedOffsets,
  stridesOf,
  withoutAxes,
} from '../strided-offsets.js';
import { referenceBlockProducts } from './block-products.js';
import { binaryFunctions, comparisonFunctions, unaryFunctions } from './elementwise.js';
import { matmul } from './matmul.js';
import { Store, type Values } from './storage.js';

/** The options of `createReferenceBackend`, declared once. */
export const referenceBackendOptionTable = {
  /**
   * `f32`: every result is rounded once to float32, as a perfectly rounding f32 backend would. `f64`: nothing is
   * rounded, for finite differences and error bounds; an f32 tensor then takes 8 bytes an element. `f32` or `f64`;
   * default `f32`.
   */
  storage: option.choice(['f32', 'f64'], {
    default: 'f32',
    describe:
      '`f32`: every result is rounded once to float32, as a perfectly rounding f32 backend would. `f64`: nothing is ' +
      'rounded, for finite differences and error bounds; an f32 tensor then takes 8 bytes an element.',
  }),
} as const satisfies OptionTable;

export interface ReferenceBackendOptions extends OptionsOf<typeof referenceBackendOptionTable> {}

export interface ReferenceBackend extends Backend {
  /** A copy of the contents, at once and without rounding. */
  readFloat64(x: Tensor): Float64Array;
}

/**
 * The oracle: plain TypeScript that computes each operation in float64. It is written to be read, one operation at a
 * time, and is for tests and small models.
 */
export function createReferenceBackend(options: ReferenceBackendOptions = {}): ReferenceBackend {
  const store = new Store(resolveOptions('createReferenceBackend', referenceBackendOptionTable, options).storage);

  /** The elements of `x` at `offsets`, as a tensor of `shape`. */
  function pick<Type extends DType>(x: Tensor<Type>, offsets: Int32Array, shape: readonly number[]): Tensor<Type> {
    const source = store.values(x);
    const picked = store.allocate(offsets.length, x.dtype);
    for (let i = 0; i < picked.length; i++) picked[i] = source[offsets[i]!]!;
    return store.make(picked, shape, x.dtype);
  }

  function unary(name: UnaryName) {
    const compute = unaryFunctions[name];
    return (x: Tensor) =>
      store.make(
        new Float64Array(store.values(x)).map((value) => compute(value)),
        x.shape,
        'f32',
      );
  }

  function pairwise<Type extends DType>(
    a: Tensor,
    b: Tensor,
    dtype: Type,
    compute: (a: number, b: number) => number,
  ): Tensor<Type> {
    const valuesA = store.values(a);
    const valuesB = store.values(b);
    if (sameShape(a.shape, b.shape)) {
      const result = new Float64Array(valuesA.length);
      for (let i = 0; i < result.length; i++) result[i] = compute(valuesA[i]!, valuesB[i]!);
      return store.make(result, a.shape, dtype);
    }
    const shape = broadcastShape(a.shape, b.shape);
    const result = new Float64Array(sizeOf(shape));
    const offsetsA = stridedOffsets(shape, broadcastStrides(a.shape, shape));
    const offsetsB = stridedOffsets(shape, broadcastStrides(b.shape, shape));
    for (let i = 0; i < result.length; i++) result[i] = compute(valuesA[offsetsA[i]!]!, valuesB[offsetsB[i]!]!);
    return store.make(result, shape, dtype);
  }

  function reduce(
    x: FloatTensor,
    axes: readonly number[],
    initial: number,
    step: (sum: number, value: number) => number,
  ) {
    const shape = withoutAxes(x.shape, axes);
    const result = new Float64Array(sizeOf(shape)).fill(initial);
    const values = store.values(x);
    const offsets = stridedOffsets(x.shape, reductionStrides(x.shape, axes));
    for (let i = 0; i < values.length; i++) result[offsets[i]!] = step(result[offsets[i]!]!, values[i]!);
    return store.make(result, shape, x.dtype);
  }

  function random(fill: (out: Float32Array | Float64Array, key: RandomKey) => void): Backend['randomNormal'] {
    return (shape, key) => {
      const values = store.allocate(sizeOf(shape), 'f32') as Float32Array | Float64Array;
      fill(values, key);
      return store.make(values, shape, 'f32');
    };
  }

  return {
    ...backendMarker,
    name: 'reference',
    device: `TypeScript in float64, stored as ${store.precision}`,
    supports: { maxElements: 2 ** 31 - 1, subnormals: true },

    ...record(unaryNames, unary),
    ...record(
      binaryNames,
      (name: BinaryName) => (a: Tensor, b: Tensor) => pairwise(a, b, 'f32', binaryFunctions[name]),
    ),
    ...record(comparisonNames, (name: ComparisonName) => {
      const holds = comparisonFunctions[name];
      return (a: Tensor, b: Tensor) => pairwise(a, b, 'i32', (x, y) => (holds(x, y) ? 1 : 0));
    }),

    fromData: (data, shape, dtype) => store.make(data.slice(), shape, dtype),
    full(shape, value, dtype) {
      return store.make(store.allocate(sizeOf(shape), dtype).fill(value), shape, dtype);
    },
    async read(x) {
      return toTensorData(store.values(x));
    },
    readInto: (x, into) => into.set(store.values(x)),
    readFloat64: (x) => new Float64Array(store.values(x)),
    dispose: (x) => store.free(x),
    cast(x, dtype) {
      if (dtype === 'f32') return store.make(new Float64Array(store.values(x)), x.shape, dtype);
      const truncated = new Float64Array(store.values(x)).map((value) =>
        Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), Math.trunc(value))),
      );
      return store.make(truncated, x.shape, dtype);
    },

    where(condition, a, b) {
      const shape = broadcastShape(condition.shape, a.shape, b.shape);
      const offsets = [condition, a, b].map((x) => stridedOffsets(shape, broadcastStrides(x.shape, shape)));
      const chosen = store.allocate(sizeOf(shape), a.dtype);
      const [test, valuesA, valuesB] = [store.values(condition), store.values(a), store.values(b)];
      for (let i = 0; i < chosen.length; i++) {
        chosen[i] = test[offsets[0]![i]!]! !== 0 ? valuesA[offsets[1]![i]!]! : valuesB[offsets[2]![i]!]!;
      }
      return store.make(chosen, shape, a.dtype);
    },

    sum: (x, axes) => reduce(x, axes, 0, (sum, value) => sum + value),
    max: (x, axes) => reduce(x, axes, -Infinity, Math.max),
    argMax(x, axis) {
      const values = store.values(x);
      const shape = withoutAxes(x.shape, [axis]);
      const stride = stridesOf(x.shape)[axis]!;
      // The first element of each line along the axis.
      const starts = stridedOffsets(shape, withoutAxisStride(x.shape, axis));
      const indices = starts.map((start) => {
        let best = 0;
        for (let index = 1; index < x.shape[axis]!; index++) {
          const value = values[start + index * stride]!;
          const leader = values[start + best * stride]!;
          // NaN counts as the largest, as in `max`; the first one is returned.
          if (value > leader || (Number.isNaN(value) && !Number.isNaN(leader))) best = index;
        }
        return best;
      });
      return store.make(indices, shape, 'i32');
    },

    matmul(a, b, transposeA, transposeB) {
      const { values, shape } = matmul(
        { values: store.values(a), shape: a.shape, transpose: transposeA },
        { values: store.values(b), shape: b.shape, transpose: transposeB },
      );
      return store.make(values, shape, 'f32');
    },

    reshape: (x, shape) => store.share(x, shape),
    transpose(x, permutation) {
      const strides = stridesOf(x.shape);
      const shape = permutation.map((axis) => x.shape[axis]!);
      return pick(
        x,
        stridedOffsets(
          shape,
          permutation.map((axis) => strides[axis]!),
        ),
        shape,
      );
    },
    slice(x, begin, size) {
      const strides = stridesOf(x.shape);
      const start = begin.reduce((offset, index, axis) => offset + index * strides[axis]!, 0);
      return pick(x, stridedOffsets(size, strides, start), size);
    },
    concatenate(xs, axis) {
      const first = xs[0]!;
      const shape = [...first.shape];
      shape[axis] = xs.reduce((sum, x) => sum + x.shape[axis]!, 0);
      const result = store.allocate(sizeOf(shape), first.dtype);
      const strides = stridesOf(shape);
      let start = 0;
      for (const x of xs) {
        const values = store.values(x);
        const offsets = stridedOffsets(x.shape, strides, start);
        for (let i = 0; i < values.length; i++) result[offsets[i]!] = values[i]!;
        start += x.shape[axis]! * strides[axis]!;
      }
      return store.make(result, shape, first.dtype);
    },
    broadcastTo: (x, shape) => pick(x, stridedOffsets(shape, broadcastStrides(x.shape, shape)), shape),
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      const strides = stridesOf(shape);
      const start = before.reduce((offset, count, axis) => offset + count * strides[axis]!, 0);
      const result = store.allocate(sizeOf(shape), x.dtype);
      const values = store.values(x);
      const offsets = stridedOffsets(x.shape, strides, start);
      for (let i = 0; i < values.length; i++) result[offsets[i]!] = values[i]!;
      return store.make(result, shape, x.dtype);
    },
    gather(x, indices) {
      const [rows, ...rest] = x.shape as [number, ...number[]];
      const width = sizeOf(rest);
      const source = store.values(x);
      const chosen = store.values(indices);
      const result = store.allocate(chosen.length * width, x.dtype);
      chosen.forEach((row, i) => {
        if (row >= 0 && row < rows) result.set(source.subarray(row * width, (row + 1) * width), i * width);
        else result.fill(Number.NaN, i * width, (i + 1) * width);
      });
      return store.make(result, [...indices.shape, ...rest], x.dtype);
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      const width = sizeOf(rest);
      const added = store.values(updates);
      const result = new Float64Array(rows * width);
      store.values(indices).forEach((row, i) => {
        if (row < 0 || row >= rows) return;
        for (let j = 0; j < width; j++) result[row * width + j]! += added[i * width + j]!;
      });
      return store.make(result, [rows, ...rest], updates.dtype);
    },

    randomBits(shape, key) {
      const bits = new Int32Array(sizeOf(shape));
      fillRandomBits(bits, key);
      return store.make(bits, shape, 'i32');
    },
    randomUniform: random(fillRandomUniform),
    randomNormal: random(fillRandomNormal),

    fused: {
      fakeQuantize(x, quantization) {
        const values = new Float32Array(store.values(x));
        return store.make(fakeQuantize(values, { ...quantization, shape: x.shape }), x.shape, 'f32');
      },
      ...referenceBlockProducts(store),
      roundToBfloat16: (x) => store.make(roundToBfloat16(new Float32Array(store.values(x))), x.shape, 'f32'),
    },

    memory: () => store.memory(),
  };
}

function withoutAxisStride(shape: readonly number[], axis: number): number[] {
  return stridesOf(shape).filter((_, other) => other !== axis);
}

/** What `read` returns: at most float32, in an array of its own. */
function toTensorData(values: Values): TensorData {
  return isTypedArray(values, 'Float64Array') ? new Float32Array(values) : values.slice();
}
