import {
  type Backend,
  type BinaryName,
  backendSpecVersion,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type UnaryName,
  unaryNames,
} from '../backend.js';
import type { FusedKernels } from '../fused-kernels.js';
import { fillRandomNormal, fillRandomUniform } from '../random/fill.js';
import { fillRandomBits } from '../random/philox.js';
import { type DType, type FloatTensor, isTypedArray, sizeOf, type Tensor } from '../tensor.js';
import { erf } from './erf.js';

/**
 * A backend for the tests of this package, which depends on no other: each primitive in float64, as short as it gets.
 */
export interface TestBackendOptions {
  /** What is stored: f32 (default), each result rounded once, or float64. */
  readonly storage?: 'f32' | 'f64';
  readonly fused?: Partial<FusedKernels>;
  readonly maxElements?: number;
}

type Shape = readonly number[];
type Values = Float32Array | Float64Array | Int32Array | Uint8Array;

interface TestTensor<Type extends DType = DType> extends Tensor<Type> {
  readonly values: Values;
}

const unary: Record<UnaryName, (x: number) => number> = {
  negate: (x) => -x,
  absolute: Math.abs,
  sign: (x) => Math.sign(x),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  erf,
  round(x) {
    const floor = Math.floor(x);
    const up = x - floor > 0.5 || (x - floor === 0.5 && floor % 2 !== 0);
    return Number.isFinite(x) ? floor + (up ? 1 : 0) : x;
  },
};

const binary: Record<BinaryName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

const comparison: Record<ComparisonName, (a: number, b: number) => boolean> = {
  equal: (a, b) => a === b,
  greater: (a, b) => a > b,
  less: (a, b) => a < b,
};

export function createTestBackend(options: TestBackendOptions = {}): Backend {
  const { storage = 'f32', fused = {}, maxElements = 2 ** 24 } = options;
  const live = new Set<Tensor>();
  let bytes = 0;

  function valuesOf(x: Tensor): Values {
    if (!live.has(x)) throw new Error('The test backend was given a tensor that it does not hold.');
    return (x as TestTensor).values;
  }

  function free(x: Tensor): void {
    bytes -= valuesOf(x).byteLength;
    live.delete(x);
  }

  /** Each element computed from its row-major position and its index along each axis. */
  function build<Type extends DType>(
    shape: Shape,
    dtype: Type,
    compute: (position: number, index: number[]) => number,
  ): Tensor<Type> {
    const Kind = { f32: storage === 'f32' ? Float32Array : Float64Array, i32: Int32Array, u8: Uint8Array }[dtype];
    const values = new Kind(sizeOf(shape));
    const index = shape.map(() => 0);
    for (let position = 0; position < values.length; position++) {
      values[position] = compute(position, index);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        index[axis]!++;
        if (index[axis]! < shape[axis]!) break;
        index[axis] = 0;
      }
    }
    const tensor: TestTensor<Type> = { shape: [...shape], dtype, values };
    live.add(tensor);
    bytes += values.byteLength;
    return tensor;
  }

  /** Reads `x` at an index of a shape that it broadcasts to. */
  function reader(x: Tensor): (index: readonly number[]) => number {
    const values = valuesOf(x);
    return (index) => {
      const offset = index.length - x.shape.length;
      let position = 0;
      for (let axis = 0; axis < x.shape.length; axis++) {
        const extent = x.shape[axis]!;
        position = position * extent + (extent === 1 ? 0 : index[offset + axis]!);
      }
      return values[position]!;
    };
  }

  function elementwise<Type extends DType>(
    dtype: Type,
    inputs: readonly Tensor[],
    compute: (...values: number[]) => number,
  ): Tensor<Type> {
    const rank = Math.max(...inputs.map((x) => x.shape.length));
    const shape = Array.from({ length: rank }, (_, axis) =>
      Math.max(...inputs.map((x) => x.shape[axis - rank + x.shape.length] ?? 1)),
    );
    const readers = inputs.map(reader);
    return build(shape, dtype, (_, index) => compute(...readers.map((read) => read(index))));
  }

  function reduce(x: Tensor, axes: Shape, initial: number, combine: (a: number, b: number) => number): FloatTensor {
    const kept = x.shape.filter((_, axis) => !axes.includes(axis));
    const totals = new Float64Array(sizeOf(kept)).fill(initial);
    const values = valuesOf(x);
    const scan = build(x.shape, 'u8', (position, index) => {
      const target = x.shape.reduce((at, extent, axis) => (axes.includes(axis) ? at : at * extent + index[axis]!), 0);
      totals[target] = combine(totals[target]!, values[position]!);
      return 0;
    });
    free(scan);
    return build(kept, 'f32', (position) => totals[position]!);
  }

  const random =
    <Type extends DType>(dtype: Type, make: (size: number) => Values): ((shape: Shape) => Tensor<Type>) =>
    (shape) => {
      const values = make(sizeOf(shape));
      return build(shape, dtype, (position) => values[position]!);
    };

  return {
    specVersion: backendSpecVersion,
    name: 'test',
    device: 'TypeScript',
    supports: { maxElements, subnormals: true },
    fused,
    ...record(unaryNames, (name) => (x: Tensor) => elementwise('f32', [x], unary[name])),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => elementwise('f32', [a, b], binary[name])),
    ...record(
      comparisonNames,
      (name) => (a: Tensor, b: Tensor) => elementwise('i32', [a, b], (x, y) => Number(comparison[name](x, y))),
    ),
    fromData: (data, shape, dtype) => build(shape, dtype, (position) => data[position]!),
    full: (shape, value, dtype) => build(shape, dtype, () => value),
    async read(x) {
      const values = valuesOf(x);
      return isTypedArray(values, 'Float64Array') ? Float32Array.from(values) : values.slice();
    },
    dispose: free,
    cast: (x, dtype) =>
      elementwise(dtype, [x], (value) =>
        dtype === 'f32' ? value : Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1),
      ),
    where: (condition, a, b) => elementwise(a.dtype, [condition, a, b], (c, x, y) => (c !== 0 ? x : y)),
    sum: (x, axes) => reduce(x, axes, 0, (a, b) => a + b),
    max: (x, axes) => reduce(x, axes, -Infinity, Math.max),
    argMax(x, axis) {
      const read = reader(x);
      return build(
        x.shape.filter((_, i) => i !== axis),
        'i32',
        (_, index) => {
          const line = Array.from({ length: x.shape[axis]! }, (_, i) =>
            read([...index.slice(0, axis), i, ...index.slice(axis)]),
          );
          return line.indexOf(Math.max(...line));
        },
      );
    },
    matmul(a, b, transposeA, transposeB) {
      const [readA, readB] = [reader(a), reader(b)];
      const inner = a.shape[transposeA ? 1 : 2]!;
      const shape = [Math.max(a.shape[0]!, b.shape[0]!), a.shape[transposeA ? 2 : 1]!, b.shape[transposeB ? 1 : 2]!];
      return build(shape, 'f32', (_, [batch, row, column]) => {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const left = readA(transposeA ? [batch!, k, row!] : [batch!, row!, k]);
          sum += left * readB(transposeB ? [batch!, column!, k] : [batch!, k, column!]);
        }
        return sum;
      });
    },
    reshape(x, shape) {
      const values = valuesOf(x);
      return build(shape, x.dtype, (position) => values[position]!);
    },
    transpose(x, permutation) {
      const read = reader(x);
      const shape = permutation.map((axis) => x.shape[axis]!);
      return build(shape, x.dtype, (_, index) => read(shape.map((_, axis) => index[permutation.indexOf(axis)]!)));
    },
    slice(x, begin, size) {
      const read = reader(x);
      return build(size, x.dtype, (_, index) => read(index.map((i, axis) => begin[axis]! + i)));
    },
    concatenate(xs, axis) {
      const parts = xs.flatMap((x) => Array.from({ length: x.shape[axis]! }, (_, i) => ({ read: reader(x), i })));
      const shape = xs[0]!.shape.map((extent, i) => (i === axis ? parts.length : extent));
      return build(shape, xs[0]!.dtype, (_, index) => {
        const { read, i: own } = parts[index[axis]!]!;
        return read(index.map((i, at) => (at === axis ? own : i)));
      });
    },
    broadcastTo(x, shape) {
      const read = reader(x);
      return build(shape, x.dtype, (_, index) => read(index));
    },
    pad(x, before, after) {
      const read = reader(x);
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      return build(shape, x.dtype, (_, index) => {
        const inside = index.map((i, axis) => i - before[axis]!);
        return inside.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? read(inside) : 0;
      });
    },
    gather(x, indices) {
      const [values, rows] = [valuesOf(x), valuesOf(indices)];
      const width = sizeOf(x.shape.slice(1));
      return build([...indices.shape, ...x.shape.slice(1)], 'f32', (position) => {
        const row = rows[Math.floor(position / width)]!;
        return row >= 0 && row < x.shape[0]! ? values[row * width + (position % width)]! : Number.NaN;
      });
    },
    scatterAdd(indices, updates, rows) {
      const shape = [rows, ...updates.shape.slice(indices.shape.length)];
      const sums = new Float64Array(sizeOf(shape));
      const width = sums.length / rows;
      const targets = valuesOf(indices);
      valuesOf(updates).forEach((value, position) => {
        const row = targets[Math.floor(position / width)]!;
        if (row >= 0 && row < rows) sums[row * width + (position % width)]! += value;
      });
      return build(shape, 'f32', (position) => sums[position]!);
    },
    randomBits: (shape, key) => random('i32', (size) => filled(new Int32Array(size), fillRandomBits, key))(shape),
    randomUniform: (shape, key) =>
      random('f32', (size) => filled(new Float32Array(size), fillRandomUniform, key))(shape),
    randomNormal: (shape, key) => random('f32', (size) => filled(new Float64Array(size), fillRandomNormal, key))(shape),
    memory: () => ({ tensors: live.size, bytes }),
  };
}

function filled<Out, Key>(out: Out, fill: (out: Out, key: Key) => void, key: Key): Out {
  fill(out, key);
  return out;
}

function record<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}
