import { bytesPerElement, type DType, isLmdError, type Operations, primitiveNames } from '@lmd/core';
import type { CaseGroup, Context } from '../case.js';
import { oracleOperations } from '../oracle/operations.js';
import type { Values } from '../values.js';
import {
  allowedOperands,
  type Callable,
  calls,
  everyDType,
  type Operands,
  operand,
  readRule,
  uploaded,
} from './primitive-calls.js';

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
