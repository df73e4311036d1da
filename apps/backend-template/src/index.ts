import {
  type Backend,
  backendSpecVersion,
  bytesPerElement,
  type DType,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  LmdError,
  sizeOf,
  type Tensor,
  type TensorData,
} from '@lmd/core';

/** What this backend understands under a handle. Core hands back only what `fromData` and the operations returned. */
interface Handle extends Tensor {
  readonly data: TensorData;
}

const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array };

/** A copy in the dtype's own array, which rounds to f32 and truncates to integers by itself. */
const convert = (values: ArrayLike<number>, dtype: DType): TensorData => new arrays[dtype](values);

/** Row-major strides: how far apart in memory two neighbours along each axis lie. */
function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Strides that read `shape` as if it were broadcast to the longer or wider `target`: a repeated axis has stride 0. */
function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing]!));
}

function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
}

/** The memory offset of every element of a strided view, in row-major order. All operations on shapes rest on this loop. */
function offsetsOf(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let offset = start;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return offsets;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((total, value, i) => total + value * b[i]!, 0);

/** Rounds to the nearest integer, ties to even. */
function roundTiesToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** The error function, by its Maclaurin series near zero and its continued fraction further out. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (!(z < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (z < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; n < 60; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = z;
  for (let n = 60; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction));
}

/** A backend in plain loops: every primitive, no fused kernel. Core composes the rest, and autograd differentiates it. */
export function createTemplateBackend(): Backend {
  // Live handles, so that `memory` tells the truth and a use after `dispose` is found.
  const live = new Set<Handle>();
  let bytes = 0;

  function make(data: TensorData, shape: readonly number[], dtype: DType): Tensor {
    const handle: Handle = { shape: [...shape], dtype, data };
    live.add(handle);
    bytes += data.length * bytesPerElement[dtype];
    return handle;
  }
  function data(x: Tensor): TensorData {
    if (!live.has(x as Handle)) {
      throw new LmdError('TENSOR_DISPOSED', 'A tensor was used that this backend does not hold.', {
        subject: 'tensor',
      });
    }
    return (x as Handle).data;
  }

  const map = (x: Tensor, f: (v: number) => number) => make(Float32Array.from(data(x), f), x.shape, 'f32');

  function zip(a: Tensor, b: Tensor, dtype: DType, f: (a: number, b: number) => number): Tensor {
    const shape = broadcastShape(a.shape, b.shape);
    const [aData, bData] = [data(a), data(b)];
    const aAt = offsetsOf(shape, broadcastStrides(a.shape, shape));
    const bAt = offsetsOf(shape, broadcastStrides(b.shape, shape));
    const out = new arrays[dtype](aAt.length);
    for (let i = 0; i < out.length; i++) out[i] = f(aData[aAt[i]!]!, bData[bAt[i]!]!);
    return make(out, shape, dtype);
  }
  const arithmetic = (f: (a: number, b: number) => number) => (a: Tensor, b: Tensor) => zip(a, b, 'f32', f);
  const comparison = (f: (a: number, b: number) => boolean) => (a: Tensor, b: Tensor) =>
    zip(a, b, 'i32', (p, q) => (f(p, q) ? 1 : 0));

  /** The elements of a strided view of `x`, copied. */
  function view(x: Tensor, shape: readonly number[], strides: readonly number[], start = 0): Tensor {
    const source = data(x);
    const at = offsetsOf(shape, strides, start);
    const out = new arrays[x.dtype](at.length);
    for (let i = 0; i < out.length; i++) out[i] = source[at[i]!]!;
    return make(out, shape, x.dtype);
  }

  /** Calls `f` with the values that fall together into each element of the result, in order. */
  function reduce(x: Tensor, axes: readonly number[], dtype: DType, f: (values: TensorData) => number): Tensor {
    const source = data(x);
    const strides = stridesOf(x.shape);
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const shape = kept.map((axis) => x.shape[axis]!);
    const starts = offsetsOf(shape, kept.map((axis) => strides[axis]!)); // biome-ignore format: one idea a line
    const steps = offsetsOf(axes.map((axis) => x.shape[axis]!), axes.map((axis) => strides[axis]!)); // biome-ignore format: one idea a line
    const values = new arrays[x.dtype](steps.length);
    const out = new arrays[dtype](starts.length);
    for (let i = 0; i < out.length; i++) {
      for (let j = 0; j < steps.length; j++) values[j] = source[starts[i]! + steps[j]!]!;
      out[i] = f(values);
    }
    return make(out, shape, dtype);
  }

  const total = (values: TensorData) => {
    let result = 0;
    for (const value of values) result += value;
    return result;
  };
  const indexOfLargest = (values: TensorData) => {
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
    return best;
  };
  const largest = (values: TensorData) => {
    let result = -Infinity;
    for (const value of values) result = Math.max(result, value); // Math.max keeps NaN
    return result;
  };

  return {
    specVersion: backendSpecVersion,
    name: 'template',
    device: 'plain JavaScript loops',
    supports: { maxElements: 2 ** 28, subnormals: true },
    fused: {},
    memory: () => ({ tensors: live.size, bytes }),

    fromData: (values, shape, dtype) => make(convert(values, dtype), shape, dtype),
    full: (shape, value, dtype) => make(new arrays[dtype](sizeOf(shape)).fill(value), shape, dtype),
    read: async (x) => data(x).slice(),
    dispose: (x) => {
      bytes -= data(x).length * bytesPerElement[x.dtype];
      live.delete(x as Handle);
    },
    cast: (x, dtype) => make(convert(data(x), dtype), x.shape, dtype),

    negate: (x) => map(x, (v) => -v),
    absolute: (x) => map(x, Math.abs),
    sign: (x) => map(x, Math.sign),
    exp: (x) => map(x, Math.exp),
    log: (x) => map(x, Math.log),
    sqrt: (x) => map(x, Math.sqrt),
    tanh: (x) => map(x, Math.tanh),
    erf: (x) => map(x, erf),
    round: (x) => map(x, roundTiesToEven),

    add: arithmetic((a, b) => a + b),
    subtract: arithmetic((a, b) => a - b),
    multiply: arithmetic((a, b) => a * b),
    divide: arithmetic((a, b) => a / b),
    maximum: arithmetic(Math.max),
    minimum: arithmetic(Math.min),
    equal: comparison((a, b) => a === b),
    greater: comparison((a, b) => a > b),
    less: comparison((a, b) => a < b),

    where(condition, a, b) {
      const shape = broadcastShape(condition.shape, a.shape, b.shape);
      const [chosen, aData, bData] = [data(condition), data(a), data(b)];
      const [cAt, aAt, bAt] = [condition, a, b].map((x) => offsetsOf(shape, broadcastStrides(x.shape, shape)));
      const out = new arrays[a.dtype](sizeOf(shape));
      for (let i = 0; i < out.length; i++) out[i] = chosen[cAt![i]!] !== 0 ? aData[aAt![i]!]! : bData[bAt![i]!]!;
      return make(out, shape, a.dtype);
    },

    sum: (x, axes) => reduce(x, axes, x.dtype, total),
    max: (x, axes) => reduce(x, axes, x.dtype, largest),
    argMax: (x, axis) => reduce(x, [axis], 'i32', indexOfLargest),

    matmul(a, b, transposeA, transposeB) {
      const [aData, bData] = [data(a), data(b)];
      const [m, k] = transposeA ? [a.shape[2]!, a.shape[1]!] : [a.shape[1]!, a.shape[2]!];
      const n = transposeB ? b.shape[1]! : b.shape[2]!;
      const batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
      const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
      const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];
      const out = new Float32Array(batch * m * n);
      for (let item = 0; item < batch; item++) {
        const aStart = a.shape[0] === 1 ? 0 : item * m * k;
        const bStart = b.shape[0] === 1 ? 0 : item * k * n;
        for (let row = 0; row < m; row++) {
          for (let column = 0; column < n; column++) {
            let sum = 0;
            for (let i = 0; i < k; i++) {
              sum += aData[aStart + row * aRow + i * aColumn]! * bData[bStart + i * bRow + column * bColumn]!;
            }
            out[(item * m + row) * n + column] = sum;
          }
        }
      }
      return make(out, [batch, m, n], 'f32');
    },

    reshape: (x, shape) => make(data(x), shape, x.dtype), // tensors are immutable, so two may share their contents
    transpose(x, permutation) {
      const strides = stridesOf(x.shape);
      return view(x, permutation.map((axis) => x.shape[axis]!), permutation.map((axis) => strides[axis]!)); // biome-ignore format: one idea a line
    },
    slice: (x, begin, size) => view(x, size, stridesOf(x.shape), dot(begin, stridesOf(x.shape))),
    broadcastTo: (x, shape) => view(x, shape, broadcastStrides(x.shape, shape)),
    concatenate(xs, axis) {
      const first = xs[0]!;
      const shape = first.shape.map((extent, i) =>
        i === axis ? xs.reduce((sum, x) => sum + x.shape[axis]!, 0) : extent,
      );
      const strides = stridesOf(shape);
      const out = new arrays[first.dtype](sizeOf(shape));
      let start = 0;
      for (const x of xs) {
        const source = data(x);
        offsetsOf(x.shape, strides, start).forEach((at, i) => {
          out[at] = source[i]!;
        });
        start += x.shape[axis]! * strides[axis]!;
      }
      return make(out, shape, first.dtype);
    },
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      const strides = stridesOf(shape);
      const source = data(x);
      const out = new arrays[x.dtype](sizeOf(shape));
      offsetsOf(x.shape, strides, dot(before, strides)).forEach((at, i) => {
        out[at] = source[i]!;
      });
      return make(out, shape, x.dtype);
    },
    gather(x, indices) {
      const source = data(x);
      const [rows, ...rest] = x.shape as [number, ...number[]];
      const width = sizeOf(rest);
      const out = new arrays[x.dtype](sizeOf(indices.shape) * width).fill(x.dtype === 'f32' ? Number.NaN : 0);
      data(indices).forEach((row, i) => {
        if (row >= 0 && row < rows) out.set(source.subarray(row * width, (row + 1) * width) as never, i * width);
      });
      return make(out, [...indices.shape, ...rest], x.dtype);
    },
    scatterAdd(indices, updates, rows) {
      const source = data(updates);
      const rest = updates.shape.slice(indices.shape.length);
      const width = sizeOf(rest);
      const out = new arrays[updates.dtype](rows * width);
      data(indices).forEach((row, i) => {
        if (row < 0 || row >= rows) return;
        for (let j = 0; j < width; j++) out[row * width + j]! += source[i * width + j]!;
      });
      return make(out, [rows, ...rest], updates.dtype);
    },

    // Core's generators serve a backend whose tensors lie in memory; one on a GPU writes Philox4x32-10 in its own language.
    randomBits(shape, key) {
      const out = new Int32Array(sizeOf(shape));
      fillRandomBits(out, key);
      return make(out, shape, 'i32');
    },
    randomUniform(shape, key) {
      const out = new Float32Array(sizeOf(shape));
      fillRandomUniform(out, key);
      return make(out, shape, 'f32');
    },
    randomNormal(shape, key) {
      const out = new Float32Array(sizeOf(shape));
      fillRandomNormal(out, key);
      return make(out, shape, 'f32');
    },
  };
}
