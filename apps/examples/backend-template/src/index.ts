import {
  type Backend,
  bytesPerElement,
  type DType,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  sizeOf,
  type Tensor,
  type TensorData,
} from '@lmd/core';

/**
 * The tensor handle of this backend. Core passes only handles that the operations returned, and never a freed one. The
 * contract says which dtype each operation takes and gives, so the functions below keep `Type` for the compiler.
 */
interface Handle<Type extends DType = DType> extends Tensor<Type> {
  readonly data: TensorData;
}

const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array };

const dataOf = (x: Tensor) => (x as Handle).data;

/** Row-major strides: the distance in memory between two neighbours along each axis. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** Clamps to the range of i32: a typed array would keep the low 32 bits. */
function saturated(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values, (value) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value)));
}

/** Strides that read `shape` broadcast to `target`: a repeated axis has stride 0. */
function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const strides = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing]!));
}

function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
}

/**
 * The memory offset of every element of a strided view, in row-major order. All shape operations use this loop.
 */
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

/** The elements of `x` broadcast to `shape`. Most operands have that shape already, and are not copied. */
function broadcastData(x: Tensor, shape: readonly number[]): TensorData {
  const source = dataOf(x);
  if (x.shape.length === shape.length && x.shape.every((extent, axis) => extent === shape[axis])) return source;
  const offsets = offsetsOf(shape, broadcastStrides(x.shape, shape));
  const out = new arrays[x.dtype](offsets.length);
  for (let i = 0; i < out.length; i++) out[i] = source[offsets[i]!]!;
  return out;
}

const pick = (values: readonly number[], axes: readonly number[]) => axes.map((axis) => values[axis]!);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Rounds to the nearest integer, ties to even. */
function roundTiesToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** The error function to 1.5e-7: Abramowitz and Stegun, 7.1.26. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - polynomial * Math.exp(-x * x));
}

/**
 * A backend in plain loops, with every primitive and no fused kernels. Core composes the rest, and autograd
 * differentiates it.
 */
export function createTemplateBackend(): Backend {
  let tensors = 0;
  let bytes = 0;

  function make<Type extends DType>(data: TensorData, shape: readonly number[], dtype: Type): Handle<Type> {
    tensors += 1;
    bytes += data.length * bytesPerElement[dtype];
    return { shape: [...shape], dtype, data };
  }

  /** One result element from the elements of two or three operands, broadcast. */
  function elementwise<Type extends DType>(
    dtype: Type,
    operands: readonly Tensor[],
    f: (a: number, b: number, c: number) => number,
  ): Tensor<Type> {
    const shape = broadcastShape(operands.map((x) => x.shape));
    const out = new arrays[dtype](sizeOf(shape));
    const [a, b, c = b!] = operands.map((x) => broadcastData(x, shape));
    for (let i = 0; i < out.length; i++) out[i] = f(a![i]!, b![i]!, c[i]!);
    return make(out, shape, dtype);
  }
  const unary = (f: (v: number) => number) => (x: Tensor) => {
    const source = dataOf(x);
    const out = new Float32Array(source.length);
    for (let i = 0; i < out.length; i++) out[i] = f(source[i]!);
    return make(out, x.shape, 'f32');
  };
  const binary = (f: (a: number, b: number) => number) => (a: Tensor, b: Tensor) => elementwise('f32', [a, b], f);
  const comparison = (f: (a: number, b: number) => boolean) => (a: Tensor, b: Tensor) =>
    elementwise('i32', [a, b], (p, q) => (f(p, q) ? 1 : 0));

  /** The elements of a strided view of `x`, copied. */
  function view<Type extends DType>(
    x: Tensor<Type>,
    shape: readonly number[],
    strides: readonly number[],
    start = 0,
  ): Tensor<Type> {
    const source = dataOf(x);
    const offsets = offsetsOf(shape, strides, start);
    return make(
      new arrays[x.dtype](offsets.length).map((_, i) => source[offsets[i]!]!),
      shape,
      x.dtype,
    );
  }

  /** Writes all of `x` into `out`, a tensor of `shape`, starting at the offset `start`. */
  function place(x: Tensor, out: TensorData, shape: readonly number[], start: number): void {
    const source = dataOf(x);
    offsetsOf(x.shape, stridesOf(shape), start).forEach((at, i) => {
      out[at] = source[i]!;
    });
  }

  /** Calls `f` with the values that are reduced to each element of the result, in order. */
  function reduce<Type extends DType>(
    x: Tensor,
    axes: readonly number[],
    dtype: Type,
    f: (values: TensorData) => number,
  ): Tensor<Type> {
    const source = dataOf(x);
    const strides = stridesOf(x.shape);
    const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
    const shape = pick(x.shape, kept);
    const starts = offsetsOf(shape, pick(strides, kept));
    const steps = offsetsOf(pick(x.shape, axes), pick(strides, axes));
    const values = new arrays[x.dtype](steps.length);
    const out = new arrays[dtype](starts.length);
    for (let i = 0; i < out.length; i++) {
      for (let j = 0; j < values.length; j++) values[j] = source[starts[i]! + steps[j]!]!;
      out[i] = f(values);
    }
    return make(out, shape, dtype);
  }
  const fold = (initial: number, f: (a: number, b: number) => number) => (values: TensorData) => {
    let result = initial;
    for (const value of values) result = f(result, value);
    return result;
  };
  const indexOfLargest = (values: TensorData) => {
    let best = 0;
    for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
    return best;
  };

  return {
    // A literal: it says for which contract this file is written, whichever core is installed.
    specVersion: 'lmd-backend-v1',
    name: 'template',
    device: 'plain JavaScript loops',
    supports: { maxElements: 2 ** 28, subnormals: true },
    fused: {},
    // Core asks after every operation: give counters, and do not wait for what is enqueued.
    memory: () => ({ tensors, bytes }),

    // The typed-array constructor rounds to f32, or truncates to integers with 0 for NaN.
    fromData: (values, shape, dtype) => make(new arrays[dtype](values), shape, dtype),
    cast: (x, dtype) => make(new arrays[dtype](dtype === 'i32' ? saturated(dataOf(x)) : dataOf(x)), x.shape, dtype),
    full: (shape, value, dtype) => make(new arrays[dtype](sizeOf(shape)).fill(value), shape, dtype),
    read: async (x) => dataOf(x).slice(),
    dispose(x) {
      tensors -= 1;
      bytes -= dataOf(x).length * bytesPerElement[x.dtype];
    },

    negate: unary((v) => -v),
    absolute: unary(Math.abs),
    sign: unary(Math.sign),
    exp: unary(Math.exp),
    log: unary(Math.log),
    sqrt: unary(Math.sqrt),
    tanh: unary(Math.tanh),
    erf: unary(erf),
    round: unary(roundTiesToEven),

    add: binary((a, b) => a + b),
    subtract: binary((a, b) => a - b),
    multiply: binary((a, b) => a * b),
    divide: binary((a, b) => a / b),
    maximum: binary(Math.max), // propagates NaN, as the contract requires
    minimum: binary(Math.min),
    equal: comparison((a, b) => a === b),
    greater: comparison((a, b) => a > b),
    less: comparison((a, b) => a < b),
    where: (condition, a, b) => elementwise(a.dtype, [condition, a, b], (c, p, q) => (c !== 0 ? p! : q!)),

    sum: (x, axes) =>
      reduce(
        x,
        axes,
        'f32',
        fold(0, (a, b) => a + b),
      ),
    max: (x, axes) => reduce(x, axes, 'f32', fold(-Infinity, Math.max)),
    argMax: (x, axis) => reduce(x, [axis], 'i32', indexOfLargest),

    matmul(a, b, transposeA, transposeB) {
      const [aData, bData] = [dataOf(a), dataOf(b)];
      const [m, k] = transposeA ? [a.shape[2]!, a.shape[1]!] : [a.shape[1]!, a.shape[2]!];
      const n = transposeB ? b.shape[1]! : b.shape[2]!;
      const batch = Math.max(a.shape[0]!, b.shape[0]!);
      const [aRow, aTerm] = transposeA ? [1, m] : [k, 1];
      const [bTerm, bColumn] = transposeB ? [1, k] : [n, 1];
      const out = new Float32Array(batch * m * n);
      for (let item = 0, at = 0; item < batch; item++) {
        const aStart = a.shape[0] === 1 ? 0 : item * m * k;
        const bStart = b.shape[0] === 1 ? 0 : item * k * n;
        for (let row = 0; row < m; row++) {
          for (let column = 0; column < n; column++, at++) {
            let sum = 0;
            for (let i = 0; i < k; i++) {
              sum += aData[aStart + row * aRow + i * aTerm]! * bData[bStart + i * bTerm + column * bColumn]!;
            }
            out[at] = sum;
          }
        }
      }
      return make(out, [batch, m, n], 'f32');
    },

    reshape: (x, shape) => make(dataOf(x), shape, x.dtype), // tensors are immutable, so they may share contents
    transpose: (x, permutation) => view(x, pick(x.shape, permutation), pick(stridesOf(x.shape), permutation)),
    slice: (x, begin, size) => view(x, size, stridesOf(x.shape), dot(begin, stridesOf(x.shape))),
    broadcastTo: (x, shape) => view(x, shape, broadcastStrides(x.shape, shape)),
    concatenate(xs, axis) {
      const shape = [...xs[0]!.shape];
      shape[axis] = xs.reduce((extent, x) => extent + x.shape[axis]!, 0);
      const out = new arrays[xs[0]!.dtype](sizeOf(shape));
      let start = 0;
      for (const x of xs) {
        place(x, out, shape, start);
        start += x.shape[axis]! * stridesOf(shape)[axis]!;
      }
      return make(out, shape, xs[0]!.dtype);
    },
    pad(x, before, after) {
      const shape = x.shape.map((extent, axis) => before[axis]! + extent + after[axis]!);
      const out = new arrays[x.dtype](sizeOf(shape));
      place(x, out, shape, dot(before, stridesOf(shape)));
      return make(out, shape, x.dtype);
    },
    gather(x, indices) {
      const width = sizeOf(x.shape.slice(1));
      const out = new Float32Array(sizeOf(indices.shape) * width).fill(Number.NaN);
      dataOf(indices).forEach((row, i) => {
        if (row >= 0 && row < x.shape[0]!) out.set(dataOf(x).subarray(row * width, (row + 1) * width), i * width);
      });
      return make(out, [...indices.shape, ...x.shape.slice(1)], 'f32');
    },
    scatterAdd(indices, updates, rows) {
      const rest = updates.shape.slice(indices.shape.length);
      const width = sizeOf(rest);
      const out = new Float32Array(rows * width);
      dataOf(indices).forEach((row, i) => {
        if (row < 0 || row >= rows) return;
        for (let j = 0; j < width; j++) out[row * width + j]! += dataOf(updates)[i * width + j]!;
      });
      return make(out, [rows, ...rest], 'f32');
    },

    // Core's generators are for backends with tensors in host memory. A GPU backend implements Philox4x32-10 itself.
    randomBits(shape, key) {
      const result = make(new Int32Array(sizeOf(shape)), shape, 'i32');
      fillRandomBits(result.data as Int32Array, key);
      return result;
    },
    randomUniform(shape, key) {
      const result = make(new Float32Array(sizeOf(shape)), shape, 'f32');
      fillRandomUniform(result.data as Float32Array, key);
      return result;
    },
    randomNormal(shape, key) {
      const result = make(new Float32Array(sizeOf(shape)), shape, 'f32');
      fillRandomNormal(result.data as Float32Array, key);
      return result;
    },
  };
}
