import type { Tensor } from '@lmd/core';
import { broadcastShapes } from '../oracle/layout.js';
import { type Fault, integersOf, tensorOf, valuesOf } from './fault.js';

/** Tests whose kernels are composed from many primitives. */
const compositions = /^(neural|attention|optimizers|gradients|training|quantization) > /;

export const primitiveFaults: readonly Fault[] = [
  {
    name: 'minimum repeats its second operand end to end instead of broadcasting it',
    breakIt: (right) => ({
      minimum(a, b) {
        const shape = broadcastShapes(a.shape, b.shape);
        const left = right.broadcastTo(a, shape);
        const [p, q] = [right.readFloat64(left), right.readFloat64(b)];
        right.dispose(left);
        return tensorOf(right, { shape, data: p.map((value, i) => Math.min(value, q[i % q.length]!)) });
      },
    }),
    caughtBy: ['elementwise > minimum with broadcasting', 'gradients > arithmetic with broadcasting'],
  },
  {
    name: 'matmul ignores transposeB',
    breakIt: (right) => ({
      matmul(a, b, transposeA, transposeB) {
        if (!transposeB) return right.matmul(a, b, transposeA, false);
        const [batch, n, k] = b.shape as [number, number, number];
        const misread = right.reshape(b, [batch, k, n]);
        const result = right.matmul(a, misread, transposeA, false);
        right.dispose(misread);
        return result;
      },
    }),
    caughtBy: [
      'matmul > matrices with transposeB',
      'matmul > matrices with transposeA and transposeB',
      'gradients > matmul with every transpose flag, batched and shared',
    ],
    mayAlsoFail: /^(matmul > (batches|257)|attention|gradients|packed matrices|training)/,
  },
  {
    name: 'matmul rounds its operands to BF16',
    breakIt: (right) => ({
      matmul(a, b, transposeA, transposeB) {
        const [p, q] = [right.fused.roundToBfloat16!(a), right.fused.roundToBfloat16!(b)];
        const result = right.matmul(p, q, transposeA, transposeB);
        right.dispose(p);
        right.dispose(q);
        return result;
      },
    }),
    caughtBy: ['matmul > matrices with no transposed operand', 'matmul > 257×129 by 129×65, and a long contraction'],
    mayAlsoFail: /^(matmul|attention|gradients|packed matrices|training|handles > operations take effect)/,
  },
  {
    name: 'max drops NaN',
    breakIt: (right) => ({
      max(x, axes) {
        const { data, ...rest } = valuesOf(right, x);
        const lowered = tensorOf(right, { ...rest, data: data.map((v) => (Number.isNaN(v) ? -Infinity : v)) });
        const result = right.max(lowered, axes);
        right.dispose(lowered);
        return result;
      },
    }),
    caughtBy: ['reduction > max keeps NaN and infinities'],
    mayAlsoFail: /^quantization > .* NaN/,
  },
  {
    name: 'reshape leaks',
    breakIt: (right) => ({
      reshape(x, shape) {
        right.reshape(x, shape);
        return right.reshape(x, shape);
      },
    }),
    caughtBy: [
      'handles > reshape gives a handle of its own, whichever is freed first',
      'shape > reshape keeps the row-major order',
    ],
    mayAlsoFail: /./,
    message: /leak|expected \d+, got \d+/,
  },
  {
    name: 'absolute works in place',
    breakIt: (right) => {
      const overwritten = new Map<Tensor, Tensor>();
      return {
        absolute(x) {
          const previous = overwritten.get(x);
          if (previous !== undefined) right.dispose(previous);
          overwritten.set(x, right.absolute(x));
          return right.absolute(x);
        },
        read: (x) => right.read(overwritten.get(x) ?? x),
        dispose(x) {
          const shadow = overwritten.get(x);
          if (shadow !== undefined) right.dispose(shadow);
          overwritten.delete(x);
          right.dispose(x);
        },
      };
    },
    caughtBy: ['elementwise > absolute'],
    mayAlsoFail: /^(elementwise > absolute keeps|handles > operations take effect|neural > roundToBfloat16)/,
    message: /changed its input 0|read \d+:|a leak: absolute/,
  },
  {
    name: 'reads run after the disposals that follow them',
    breakIt: (right) => ({
      async read(x) {
        await Promise.resolve();
        return right.read(x);
      },
    }),
    caughtBy: ['handles > operations take effect in the order of the calls, reads and disposals included'],
  },
  {
    name: 'i32 is stored as f32',
    breakIt: (right) => ({
      fromData: (data, shape, dtype) =>
        right.fromData(dtype === 'i32' ? Int32Array.from(Float32Array.from(data)) : data, shape, dtype),
    }),
    caughtBy: [
      'handles > fromData and read copy every dtype to the bit',
      'comparison > equal of integers beyond 2^24 is exact',
      'comparison > less of integers beyond 2^24 is exact',
      'comparison > greater of integers beyond 2^24 is exact',
    ],
    mayAlsoFail: /^(handles > cast|comparison > where|shape|.* out of range$)/,
  },
  {
    name: 'cast to i32 wraps',
    breakIt: (right) => ({
      cast(x, dtype) {
        if (dtype !== 'i32') return right.cast(x, dtype);
        const wrapped = Int32Array.from(right.readFloat64(x), (v) => v | 0);
        return right.fromData(wrapped, x.shape, dtype);
      },
    }),
    caughtBy: ['handles > cast of what no i32 holds saturates, and gives 0 for NaN'],
  },
  {
    name: 'round takes ties away from zero',
    breakIt: (right) => ({
      round(x) {
        const { data, ...rest } = valuesOf(right, x);
        return tensorOf(right, { ...rest, data: data.map((v) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5)) });
      },
    }),
    caughtBy: ['elementwise > round', 'elementwise > round keeps NaN and infinities'],
    mayAlsoFail: compositions,
  },
  {
    name: 'tanh is off by 2e-6',
    breakIt: (right) => ({
      tanh(x) {
        const { data, ...rest } = valuesOf(right, x);
        return tensorOf(right, { ...rest, data: data.map((v) => Math.tanh(v) * (1 + 2e-6)) });
      },
    }),
    caughtBy: ['elementwise > tanh'],
    mayAlsoFail: /^(elementwise > tanh keeps|neural > gelu|gradients > softmax)/,
  },
  {
    name: 'less is true beside a NaN',
    breakIt: (right) => ({
      less(a, b) {
        const [greater, equal] = [right.greater(a, b), right.equal(a, b)];
        const either = valuesOf(right, greater).data.map(
          (value, i) => 1 - Math.max(value, right.readFloat64(equal)[i]!),
        );
        const result = integersOf(right, { shape: greater.shape, data: either });
        right.dispose(greater);
        right.dispose(equal);
        return result;
      },
    }),
    caughtBy: ['comparison > less is false beside a NaN'],
    mayAlsoFail: /^quantization > .* NaN/,
  },
  {
    name: 'where multiplies by its condition, so that NaN leaks from the side not chosen',
    breakIt: (right) => ({
      where(condition, a, b) {
        const shape = broadcastShapes(condition.shape, a.shape, b.shape);
        const [c, p, q] = [condition, a, b].map((x: Tensor) => {
          const wide = right.broadcastTo(x, shape);
          const data = right.readFloat64(wide);
          right.dispose(wide);
          return data;
        }) as [Float64Array, Float64Array, Float64Array];
        const chosen = c.map((value, i) => (value !== 0 ? 1 : 0) * p[i]! + (value !== 0 ? 0 : 1) * q[i]!);
        return right.fromData(a.dtype === 'f32' ? chosen : Int32Array.from(chosen), shape, a.dtype);
      },
    }),
    caughtBy: ['comparison > where lets nothing through from the side not chosen'],
    mayAlsoFail: compositions,
  },
  {
    name: 'argMax gives f32',
    breakIt: (right) => ({
      // A backend in TypeScript is refused by the compiler.
      argMax: (x, axis) => right.cast(right.argMax(x, axis), 'f32') as never,
    }),
    caughtBy: ['dtypes > argMax takes and gives the dtypes of its rule'],
    mayAlsoFail: /^reduction > argMax/,
  },
  {
    name: 'transpose stores bytes as i32',
    breakIt: (right) => ({
      transpose(x, permutation) {
        const moved = right.transpose(x, permutation);
        if (x.dtype !== 'u8') return moved;
        const bytes = right.fromData(Int32Array.from(right.readFloat64(moved)), moved.shape, 'i32');
        right.dispose(moved);
        return bytes as never;
      },
    }),
    caughtBy: ['dtypes > transpose takes and gives the dtypes of its rule'],
  },
  {
    name: 'gather clamps indices to the range',
    breakIt: (right) => ({
      gather(x, indices) {
        const { data, shape } = valuesOf(right, indices);
        const clamped = integersOf(right, { shape, data: data.map((i) => Math.min(x.shape[0]! - 1, Math.max(0, i))) });
        const result = right.gather(x, clamped);
        right.dispose(clamped);
        return result;
      },
    }),
    caughtBy: ['indexing > gather gives NaN rows for indices out of range'],
  },
  {
    name: 'scatterAdd overwrites instead of adding up repeats',
    breakIt: (right) => ({
      scatterAdd(indices, updates, rows) {
        const [at, values] = [right.readFloat64(indices), right.readFloat64(updates)];
        const width = values.length / at.length;
        const data = new Float64Array(rows * width);
        at.forEach((row, i) => {
          if (row >= 0 && row < rows) data.set(values.subarray(i * width, (i + 1) * width), row * width);
        });
        const rest = updates.shape.slice(indices.shape.length);
        return tensorOf(right, { shape: [rows, ...rest], data });
      },
    }),
    caughtBy: ['indexing > scatterAdd adds up repeated rows', 'gradients > gather and scatterAdd, repeats included'],
  },
  {
    name: 'Philox counts (stream, sample, step)',
    breakIt: (right) => ({
      randomBits: (shape, key) => right.randomBits(shape, { ...key, step: key.sample, sample: key.step }),
      randomUniform: (shape, key) => right.randomUniform(shape, { ...key, step: key.sample, sample: key.step }),
      randomNormal: (shape, key) => right.randomNormal(shape, { ...key, step: key.sample, sample: key.step }),
    }),
    caughtBy: [
      'random numbers > randomBits to the bit',
      'random numbers > randomUniform to the bit',
      'random numbers > randomNormal within ulps',
      'optimizers > lmdDraw',
    ],
    mayAlsoFail: /^(optimizers > lmdUpdate|quantization > .*)/,
  },
];
