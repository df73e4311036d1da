import { lax, numpy as np } from '@jax-js/jax';
import {
  type Backend,
  bytesPerElement,
  type DType,
  fillRandomBits,
  fillRandomNormal,
  fillRandomUniform,
  type RandomKey,
  sizeOf,
  type Tensor,
  type TensorData,
} from '@lmd/core';
import * as accurate from './accurate.js';

const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array };

/** The library has no bytes: it holds them as i32. */
const libraryDTypes = { f32: np.float32, i32: np.int32, u8: np.int32 };
const bytesHeld = { ...bytesPerElement, u8: 4 };

interface Handle<Type extends DType = DType> extends Tensor<Type> {
  readonly array: np.Array;
}

/** A function of the library frees its arguments; `ref` gives it a reference of its own, and the handle lives on. */
const arrayOf = (x: Tensor): np.Array => (x as Handle).array.ref;

/** Node's choice is this one, which compiles kernels to WebAssembly, or `cpu`, which interprets them. */
const device = 'wasm';

/** A backend on `@jax-js/jax`: every primitive is a call of the library, except random numbers and `scatterAdd`. */
export function createJaxBackend(): Backend {
  let tensors = 0;
  let bytes = 0;

  function make<Type extends DType>(array: np.Array, dtype: Type): Handle<Type> {
    tensors += 1;
    bytes += array.size * bytesHeld[dtype];
    return { shape: [...array.shape], dtype, array };
  }

  /**
   * The library computes when an array is read, and until then copies its list of what is to run with every operation.
   * Reading runs the list, so that it stays short; a training step takes thousands of operations.
   */
  function compute<Type extends DType>(array: np.Array, dtype: Type): Handle<Type> {
    array.ref.dataSync();
    return make(array, dtype);
  }

  /**
   * The library takes short arrays of equal elements for constants, compiles a kernel for each value, and simplifies
   * x · 0 to 0 for every x. One more element, which differs, and a view without it keep them data.
   */
  function upload<Type extends DType>(data: TensorData, shape: readonly number[], dtype: Type): Handle<Type> {
    const stored = dtype === 'f32' ? new Float32Array(data.length + 1) : new Int32Array(data.length + 1);
    stored.set(data);
    stored[data.length] = data[0] === 0 ? 1 : 0;
    const array = np.array(stored, { dtype: libraryDTypes[dtype], device });
    return make(array.slice([0, data.length]).reshape([...shape]), dtype);
  }
  const random =
    <Type extends 'f32' | 'i32'>(
      dtype: Type,
      fill: (data: InstanceType<(typeof arrays)[Type]>, key: RandomKey) => void,
    ) =>
    (shape: readonly number[], key: RandomKey) => {
      const data = new arrays[dtype](sizeOf(shape)) as InstanceType<(typeof arrays)[Type]>;
      fill(data, key);
      return upload(data, shape, dtype);
    };

  const unary = (f: (x: np.Array) => np.Array) => (x: Tensor) => compute(f(arrayOf(x)), 'f32');
  const binary = (f: (a: np.Array, b: np.Array) => np.Array) => (a: Tensor, b: Tensor) =>
    compute(f(arrayOf(a), arrayOf(b)), 'f32');
  const comparison = (f: (a: np.Array, b: np.Array) => np.Array) => (a: Tensor, b: Tensor) =>
    compute(f(arrayOf(a), arrayOf(b)).astype(np.int32), 'i32');
  const transposed = (x: Tensor, flag: boolean) => (flag ? np.swapaxes(arrayOf(x), 1, 2) : arrayOf(x));

  return {
    specVersion: 'lmd-backend-v1',
    name: 'jax-js',
    device: `@jax-js/jax ${device}`,
    supports: { maxElements: 2 ** 28, subnormals: true },
    fused: {},
    memory: () => ({ tensors, bytes }),

    fromData: (data, shape, dtype) => upload(new arrays[dtype](data), shape, dtype),
    full: (shape, value, dtype) => {
      const one = (upload(new arrays[dtype](1).fill(value), [], dtype) as Handle).array;
      tensors -= 1;
      bytes -= bytesHeld[dtype];
      return make(np.broadcastTo(one, [...shape]), dtype);
    },
    read: async (x) => new arrays[x.dtype](await arrayOf(x).data()),
    dispose(x) {
      tensors -= 1;
      bytes -= sizeOf(x.shape) * bytesHeld[x.dtype];
      (x as Handle).array.dispose();
    },
    cast: (x, dtype) => compute(arrayOf(x).astype(libraryDTypes[dtype]), dtype),

    negate: unary(accurate.negate),
    absolute: unary(accurate.absolute),
    sign: unary(np.sign),
    exp: unary(accurate.exp),
    log: unary(accurate.log),
    sqrt: unary(np.sqrt),
    tanh: unary(accurate.tanh),
    erf: unary(accurate.erf),
    round: unary(accurate.round),

    add: binary(np.add),
    subtract: binary(np.subtract),
    multiply: binary(np.multiply),
    divide: binary(np.trueDivide),
    maximum: binary(np.maximum),
    minimum: binary(np.minimum),
    equal: comparison(np.equal),
    greater: comparison(np.greater),
    less: comparison(np.less),
    where: (condition, a, b) => compute(np.where(arrayOf(condition).notEqual(0), arrayOf(a), arrayOf(b)), a.dtype),

    sum: (x, axes) => compute(np.sum(arrayOf(x), [...axes]), 'f32'),
    max: (x, axes) => compute(np.max(arrayOf(x), [...axes]), 'f32'),
    argMax: (x, axis) => compute(np.argmax(arrayOf(x), axis), 'i32'),
    matmul: (a, b, transposeA, transposeB) =>
      compute(np.matmul(transposed(a, transposeA), transposed(b, transposeB)), 'f32'),

    reshape: (x, shape) => make(arrayOf(x).reshape([...shape]), x.dtype),
    transpose: (x, permutation) => make(arrayOf(x).transpose([...permutation]), x.dtype),
    slice: (x, begin, size) =>
      make(arrayOf(x).slice(...begin.map((start, axis): [number, number] => [start, start + size[axis]!])), x.dtype),
    concatenate(xs, axis) {
      // The library adds the parts up, padded by zeros, which loses the sign of a zero: it does so with their bits.
      const bits = xs.map((x) => lax.bitcastConvertType(arrayOf(x), np.int32));
      const { dtype } = xs[0]!;
      return compute(lax.bitcastConvertType(np.concatenate(bits, axis), libraryDTypes[dtype]), dtype);
    },
    broadcastTo: (x, shape) => make(np.broadcastTo(arrayOf(x), [...shape]), x.dtype),
    pad: (x, before, after) =>
      make(
        np.pad(
          arrayOf(x),
          before.map((count, axis): [number, number] => [count, after[axis]!]),
        ),
        x.dtype,
      ),
    gather(x, indices) {
      const rows = x.shape[0]!;
      const index = arrayOf(indices);
      const inside = np.logicalAnd(index.ref.greaterEqual(0), index.ref.less(rows));
      const taken = np.take(arrayOf(x), np.clip(index, 0, rows - 1), 0);
      const rest = x.shape.slice(1).map(() => 1);
      return compute(np.where(inside.reshape([...indices.shape, ...rest]), taken, Number.NaN), 'f32');
    },
    scatterAdd(indices, updates, rows) {
      // The library adds nothing at indices, so this reads both: it waits for them, which the device `wasm` allows.
      const rest = updates.shape.slice(indices.shape.length);
      const width = sizeOf(rest);
      const values = arrayOf(updates).dataSync();
      const out = new Float32Array(rows * width);
      arrayOf(indices)
        .dataSync()
        .forEach((row: number, i: number) => {
          if (row < 0 || row >= rows) return;
          for (let j = 0; j < width; j++) out[row * width + j]! += values[i * width + j]!;
        });
      return upload(out, [rows, ...rest], 'f32');
    },

    randomBits: random('i32', fillRandomBits),
    randomUniform: random('f32', fillRandomUniform),
    randomNormal: random('f32', fillRandomNormal),
  };
}
