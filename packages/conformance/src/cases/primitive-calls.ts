import {
  binaryNames,
  bytesPerElement,
  comparisonNames,
  type DType,
  type DTypeRule,
  type Operations,
  type PrimitiveName,
  primitiveDTypes,
  type Tensor,
  unaryNames,
} from '@lmd/core';
import type { Context } from '../case.js';
import type { Values } from '../values.js';

/** A call of a primitive on [2, 2] tensors by the names of its arguments, or [2] ones that are indices. */
type Call = (ops: Operations, tensors: { readonly [argument: string]: Tensor }, dtype: DType) => Tensor;

const key = { seed: 3, stream: 1, step: 4, sample: 1 };

/** Those that give a tensor; `read` and `dispose` take every one of this suite. */
export type Callable = Exclude<PrimitiveName, 'read' | 'dispose'>;

export const calls: Record<Callable, Call> = {
  ...named(
    unaryNames,
    (name) =>
      (ops, { x }) =>
        ops[name](x!),
  ),
  ...named(
    binaryNames,
    (name) =>
      (ops, { a, b }) =>
        ops[name](a!, b!),
  ),
  ...named(
    comparisonNames,
    (name) =>
      (ops, { a, b }) =>
        ops[name](a!, b!),
  ),
  fromData: (ops, _, dtype) => ops.fromData([0, 1, 1, 0], [2, 2], dtype),
  full: (ops, _, dtype) => ops.full([2, 2], 1, dtype),
  cast: (ops, { x }, dtype) => ops.cast(x!, dtype),
  where: (ops, { condition, a, b }) => ops.where(condition!, a!, b!),
  sum: (ops, { x }) => ops.sum(x!, { axes: 0 }),
  max: (ops, { x }) => ops.max(x!, { axes: 0 }),
  argMax: (ops, { x }) => ops.argMax(x!, 0),
  matmul: (ops, { a, b }) => ops.matmul(a!, b!),
  reshape: (ops, { x }) => ops.reshape(x!, [4]),
  transpose: (ops, { x }) => ops.transpose(x!, [1, 0]),
  slice: (ops, { x }) => ops.slice(x!, [0, 1], [2, 1]),
  concatenate: (ops, { xs, other = xs }) => ops.concatenate([xs!, other!], 1),
  broadcastTo: (ops, { x }) => ops.broadcastTo(x!, [3, 2, 2]),
  pad: (ops, { x }) => ops.pad(x!, [1, 0], [0, 2]),
  gather: (ops, { x, indices }) => ops.gather(x!, indices!),
  scatterAdd: (ops, { indices, updates }) => ops.scatterAdd(indices!, updates!, 3),
  randomBits: (ops) => ops.randomBits([2, 2], key),
  randomUniform: (ops) => ops.randomUniform([2, 2], key),
  randomNormal: (ops) => ops.randomNormal([2, 2], key),
};

export const everyDType = Object.keys(bytesPerElement) as DType[];

function named<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

/** The rule's tensors with the dtypes that each may have, and the dtypes that may be asked for where one is. */
export function readRule(name: Callable) {
  const { result, dtype, ...tensors }: DTypeRule = primitiveDTypes[name];
  return {
    result,
    asked: dtype as readonly DType[] | undefined,
    tensors: Object.entries(tensors) as [argument: string, allowed: readonly DType[]][],
  };
}

export type Operands = { readonly [argument: string]: Values };

/** 0, 1, 1, 0, which every dtype holds. */
export function operand(argument: string, dtype: DType): Values {
  const isIndices = argument === 'indices';
  return { shape: isIndices ? [2] : [2, 2], dtype, data: Float64Array.of(0, 1, 1, 0).slice(0, isIndices ? 2 : 4) };
}

/** Operands in every choice of dtypes that a rule allows: arguments that may have several have the same. */
export function allowedOperands(tensors: ReturnType<typeof readRule>['tensors']): Operands[] {
  const shared = tensors.find(([, allowed]) => allowed.length > 1)?.[1] ?? [everyDType[0]!];
  return shared.map((dtype) =>
    Object.fromEntries(
      tensors.map(([name, allowed]) => [name, operand(name, allowed.length > 1 ? dtype : allowed[0]!)]),
    ),
  );
}

export const uploaded = (context: Context, operands: Operands): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(operands).map(([name, x]) => [name, context.upload(x)]));
