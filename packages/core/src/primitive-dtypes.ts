import { binaryNames, comparisonNames, type PrimitiveName, unaryNames } from './backend.js';
import type { DType } from './tensor.js';

/** Which dtypes a primitive takes and gives. Each member but `result` is an argument by its name in `Primitives`. */
export interface DTypeRule {
  /**
   * The dtypes that the argument may have. Where two arguments, or the tensors of a list, may have several, all have
   * the same. `dtype` is the argument that asks for one.
   */
  readonly [argument: string]: readonly DType[] | ResultDType;
  readonly result: ResultDType;
}

/** `same`: that of the arguments which may have several. `dtype`: the one asked for. `none`: no tensor. */
export type ResultDType = DType | 'same' | 'dtype' | 'none';

const f32 = ['f32'] as const;
const i32 = ['i32'] as const;
const numbers = ['f32', 'i32'] as const;
const any = ['f32', 'i32', 'u8'] as const;

function each<Name extends string, Rule>(names: readonly Name[], rule: Rule): Readonly<Record<Name, Rule>> {
  return Object.fromEntries(names.map((name) => [name, rule])) as Record<Name, Rule>;
}

const moved = { x: any, result: 'same' } as const;
const random = { result: 'f32' } as const;

/**
 * The dtype rules of the primitives as data: the checks of the operations and the suite's tests of dtypes read them
 * here. `Primitives` has the same rules as types.
 */
export const primitiveDTypes = {
  ...each(unaryNames, { x: f32, result: 'f32' } as const),
  ...each(binaryNames, { a: f32, b: f32, result: 'f32' } as const),
  ...each(comparisonNames, { a: numbers, b: numbers, result: 'i32' } as const),
  fromData: { dtype: any, result: 'dtype' },
  full: { dtype: any, result: 'dtype' },
  read: { x: any, result: 'none' },
  dispose: { x: any, result: 'none' },
  cast: { x: numbers, dtype: numbers, result: 'dtype' },
  where: { condition: i32, a: any, b: any, result: 'same' },
  sum: { x: f32, result: 'f32' },
  max: { x: f32, result: 'f32' },
  argMax: { x: f32, result: 'i32' },
  matmul: { a: f32, b: f32, result: 'f32' },
  reshape: moved,
  transpose: moved,
  slice: moved,
  concatenate: { xs: any, result: 'same' },
  broadcastTo: moved,
  pad: moved,
  gather: { x: f32, indices: i32, result: 'f32' },
  scatterAdd: { indices: i32, updates: f32, result: 'f32' },
  randomBits: { result: 'i32' },
  randomUniform: random,
  randomNormal: random,
} as const satisfies Readonly<Record<PrimitiveName, DTypeRule>>;
