import {
  type BlockProductKernels,
  binaryNames,
  type CodedRowKernels,
  comparisonNames,
  type DType,
  isTypedArray,
  type Operations,
  type PackedMatrixKernels,
  type ReduceOptions,
  sizeOf,
  type Tensor,
  type TensorLike,
  unaryNames,
} from '@lmd/core';
import { mapped, type Values } from '../values.js';
import { attention } from './attention.js';
import { roundToBfloat16 } from './bfloat16.js';
import { crossEntropy } from './cross-entropy.js';
import * as elementwise from './elementwise.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { matmul } from './matmul.js';
import { fakeQuantize } from './quantization.js';
import { randomBits, randomNormal, randomUniform } from './random.js';
import { argMax, max, mean, sum } from './reductions.js';
import * as shapes from './shapes.js';
import { softmax } from './softmax.js';

/**
 * What the oracle's operations compute: everything but what concerns a backend and its memory, and operands made of
 * codes.
 */
export type OracleOperations = Omit<
  Operations,
  'backend' | 'memory' | 'read' | keyof BlockProductKernels | keyof PackedMatrixKernels | keyof CodedRowKernels
>;

const values = (x: TensorLike): Values =>
  typeof x === 'number' ? { shape: [], dtype: 'f32', data: Float64Array.of(x) } : (x as Values);

function reduction(reduce: (x: Values, axes: readonly number[]) => Values) {
  return (x: Tensor, { axes, keepDims = false }: ReduceOptions = {}): Values => {
    const rank = x.shape.length;
    const listed = axes === undefined ? x.shape.map((_, axis) => axis) : typeof axes === 'number' ? [axes] : axes;
    const reduced = listed.map((axis) => (axis < 0 ? axis + rank : axis));
    const result = reduce(values(x), reduced);
    return keepDims
      ? { ...result, shape: x.shape.map((extent, axis) => (reduced.includes(axis) ? 1 : extent)) }
      : result;
  };
}

function swapLast(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, -2), rank - 1, rank - 2];
}

const record = <Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;

/**
 * `Operations` on plain float64 arrays, so that one function, a whole model included, can run on a backend and in
 * float64. A tensor is a `Values`, nothing is freed, and results are not rounded to f32.
 */
export const oracleOperations: OracleOperations = {
  ...record(unaryNames, (name) => (x: Tensor) => elementwise.unary(name, values(x))),
  ...record(binaryNames, (name) => (a: TensorLike, b: TensorLike) => elementwise.binary(name, values(a), values(b))),
  ...record(
    comparisonNames,
    (name) => (a: TensorLike, b: TensorLike) => elementwise.comparison(name, values(a), values(b)),
  ),
  fromData: (data, shape = [data.length], dtype = isTypedArray(data, 'Int32Array') ? 'i32' : 'f32') =>
    constant(shape, dtype, Float64Array.from(data)),
  full: (shape, value, dtype = 'f32') => constant(shape, dtype, new Float64Array(sizeOf(shape)).fill(value)),
  zeros: (shape, dtype = 'f32') => constant(shape, dtype, new Float64Array(sizeOf(shape))),
  cast: (x, dtype) => elementwise.cast(values(x), dtype as 'f32' | 'i32'),
  where: (condition, a, b) => elementwise.where(values(condition), values(a), values(b)),

  sum: reduction(sum),
  mean: reduction(mean),
  max: reduction(max),
  argMax: (x, axis = -1) => argMax(values(x), axis < 0 ? axis + x.shape.length : axis),
  matmul: (a, b, { transposeA, transposeB } = {}) => matmul(values(a), values(b), transposeA, transposeB),

  reshape(x, shape) {
    const known = shape.filter((extent) => extent !== -1);
    const size = sizeOf(x.shape) / sizeOf(known);
    return { ...values(x), shape: shape.map((extent) => (extent === -1 ? size : extent)) };
  },
  transpose: (x, permutation = swapLast(x.shape.length)) => shapes.transpose(values(x), permutation),
  slice: (x, begin, size) => shapes.slice(values(x), begin, size),
  concatenate: (xs, axis) =>
    shapes.concatenate(
      xs.map((x) => values(x)),
      axis < 0 ? axis + xs[0]!.shape.length : axis,
    ),
  broadcastTo: (x, shape) => shapes.broadcastTo(values(x), shape),
  pad: (x, before, after) => shapes.pad(values(x), before, after),
  gather: (x, indices) => shapes.gather(values(x), values(indices)),
  scatterAdd: (indices, updates, rows) => shapes.scatterAdd(values(indices), values(updates), rows),

  randomBits,
  randomUniform,
  randomNormal,

  softmax: (x) => softmax(values(x)),
  layerNorm: (x, gain, bias, epsilon = 1e-5) => layerNorm(values(x), values(gain), values(bias), epsilon),
  gelu: (x, approximation = 'none') => gelu(values(x), approximation),
  crossEntropy: (logits, labels) => crossEntropy(values(logits), values(labels)),
  attention: (query, key, value, { scale = 1 / Math.sqrt(query.shape.at(-1)!), causal = false } = {}) =>
    attention(values(query), values(key), values(value), { scale, causal }),
  fakeQuantize: (x, options) => fakeQuantize(values(x), options),
  roundToBfloat16: (x) => mapped(values(x), (value) => roundToBfloat16(Math.fround(value))),

  customGradient: (inputs, { forward }) => forward(oracleOperations as Operations, inputs, () => {}),
  scope: (body) => body(),
  keep: (x) => x,
  dispose: () => undefined,
  isDisposed: () => false,
};

function constant(shape: readonly number[], dtype: DType, data: Float64Array): Values {
  return { shape, dtype, data };
}
