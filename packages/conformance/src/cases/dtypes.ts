import {
  binaryNames,
  bytesPerElement,
  comparisonNames,
  type DType,
  type DTypeRule,
  isLmdError,
  type Operations,
  type PrimitiveName,
  primitiveDTypes,
  primitiveNames,
  type Tensor,
  unaryNames,
} from '@lmd/core';
import type { CaseGroup, Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import type { Values } from '../values.js';

/** A call of a primitive on [2, 2] tensors by the names of its arguments, or [2] ones that are indices. */
type Call = (ops: Operations, tensors: { readonly [argument: string]: Tensor }, dtype: DType) => Tensor;

const key = { seed: 3, stream: 1, step: 4, sample: 1 };

/** Those that give a tensor; `read` and `dispose` take every one of this suite. */
type Callable = Exclude<PrimitiveName, 'read' | 'dispose'>;

const calls: Record<Callable, Call> = {
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

const everyDType = Object.keys(bytesPerElement) as DType[];

function named<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

/** The rule's tensors with the dtypes that each may have, and the dtypes that may be asked for where one is. */
function readRule(name: Callable) {
  const { result, dtype, ...tensors }: DTypeRule = primitiveDTypes[name];
  return {
    result,
    asked: dtype as readonly DType[] | undefined,
    tensors: Object.entries(tensors) as [argument: string, allowed: readonly DType[]][],
  };
}

type Operands = { readonly [argument: string]: Values };

/** 0, 1, 1, 0, which every dtype holds. */
function operand(argument: string, dtype: DType): Values {
  const isIndices = argument === 'indices';
  return { shape: isIndices ? [2] : [2, 2], dtype, data: Float64Array.of(0, 1, 1, 0).slice(0, isIndices ? 2 : 4) };
}

/** Operands in every choice of dtypes that a rule allows: arguments that may have several have the same. */
function allowedOperands(tensors: ReturnType<typeof readRule>['tensors']): Operands[] {
  const shared = tensors.find(([, allowed]) => allowed.length > 1)?.[1] ?? [everyDType[0]!];
  return shared.map((dtype) =>
    Object.fromEntries(
      tensors.map(([name, allowed]) => [name, operand(name, allowed.length > 1 ? dtype : allowed[0]!)]),
    ),
  );
}

const uploaded = (context: Context, operands: Operands): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(operands).map(([name, x]) => [name, context.upload(x)]));

function described(name: string, operands: Operands, dtype: DType | undefined): string {
  const list = Object.entries(operands).map(([argument, x]) => `${argument}: ${x.dtype}`);
  return `${name}(${[...list, ...(dtype === undefined ? [] : [`dtype: ${dtype}`])].join(', ')})`;
}

async function checkResults(context: Context, name: Callable): Promise<void> {
  const { result, asked = [undefined], tensors } = readRule(name);
  for (const operands of allowedOperands(tensors)) {
    for (const dtype of asked) {
      const label = described(name, operands, dtype);
      const made = calls[name](context.ops, uploaded(context, operands), dtype ?? 'f32');
      const own = Object.values(operands).at(-1)?.dtype;
      const wanted = (result === 'same' ? own : result === 'dtype' ? dtype : result) as DType;
      if (made.dtype !== wanted) context.fail(`${label} gives ${made.dtype}, expected ${wanted}`);
      if (result === 'same' || result === 'dtype') {
        // Only this test moves u8 tensors.
        const want = calls[name](oracleOperations as Operations, operands as never, wanted) as Values;
        await context.compare(label, made, want, 'copy');
      }
      const data = await context.ops.read(made);
      if (data.BYTES_PER_ELEMENT !== bytesPerElement[wanted]) context.fail(`read of ${label} gives ${data}`);
      context.expect(data.BYTES_PER_ELEMENT).toBe(bytesPerElement[wanted]);
      context.ops.dispose(made);
    }
  }
}

/** Operands of which one has a dtype that the rule does not allow, or not beside the others. */
function refusedOperands(name: Callable): Operands[] {
  const { tensors } = readRule(name);
  const [right] = allowedOperands(tensors);
  const replaced = (argument: string, dtype: DType) => ({ ...right, [argument]: operand(argument, dtype) });
  const wrong = tensors.flatMap(([argument, allowed]) =>
    everyDType.filter((dtype) => !allowed.includes(dtype)).map((dtype) => replaced(argument, dtype)),
  );
  const [, ...others] = tensors.filter(([, allowed]) => allowed.length > 1).map(([argument]) => argument);
  if (name === 'concatenate') others.push('other');
  return [...wrong, ...others.map((argument) => replaced(argument, 'i32'))];
}

function checkRefusals(context: Context, name: Callable): void {
  const { asked = everyDType, tensors } = readRule(name);
  const tries = [
    ...refusedOperands(name).map((operands) => [operands, asked[0]!] as const),
    ...everyDType
      .filter((dtype) => !asked.includes(dtype))
      .map((dtype) => [allowedOperands(tensors)[0]!, dtype] as const),
  ];
  for (const [operands, dtype] of tries) {
    let caught: unknown;
    try {
      calls[name](context.ops, uploaded(context, operands), dtype);
    } catch (error) {
      caught = error;
    }
    if (isLmdError(caught, 'DTYPE_MISMATCH')) continue;
    context.fail(`${described(name, operands, dtype)} must be refused, got ${caught ?? 'a result'}`);
  }
}

/** The table of dtypes, `primitiveDTypes`, tried. */
export const dtypes: CaseGroup = {
  name: 'dtypes',
  cases: primitiveNames
    .filter((name): name is Callable => name !== 'read' && name !== 'dispose')
    .map((name) => ({
      name: `${name} takes and gives the dtypes of its rule`,
      async run(context) {
        await checkResults(context, name);
        checkRefusals(context, name);
      },
    })),
};
