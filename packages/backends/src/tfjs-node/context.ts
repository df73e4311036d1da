import type { DType, Tensor, TensorData } from '@lmd/core';
import { type Attribute, type Native, type NativeType, type NativeValue, nativeType, typeAttribute } from './native.js';
import type { NodeStore } from './node-store.js';

export type Run = (name: string, attributes: readonly Attribute[], inputs: readonly number[]) => NativeValue;

/** Frees a tensor that `body` made by itself with the rest; gives it back. */
export type Temporary = (id: number) => number;

/** Context of an operation: the engine, the handles, and how a chain of its operations becomes one result. */
export interface Context {
  readonly native: Native;
  readonly store: NodeStore;
  /**
   * Runs `body`; frees what its operations made but its result, which becomes a tensor of the given shape and dtype.
   */
  compute<Type extends DType>(
    shape: readonly number[],
    dtype: Type,
    body: (run: Run, temporary: Temporary) => NativeValue,
  ): Tensor<Type>;
  /** A tensor that holds `values`, which must not change afterwards. */
  upload<Type extends DType>(values: TensorData, shape: readonly number[], dtype: Type): Tensor<Type>;
}

export function createContext(native: Native, store: NodeStore): Context {
  return {
    native,
    store,
    compute(shape, dtype, body) {
      native.trimConstants();
      const made: number[] = [];
      let result: NativeValue | undefined;
      try {
        result = body(
          (name, attributes, inputs) => {
            const value = native.run(name, attributes, inputs);
            made.push(value.id);
            return value;
          },
          (id) => {
            made.push(id);
            return id;
          },
        );
      } finally {
        for (const id of made) if (id !== result?.id) native.free(id);
      }
      return store.own(result, shape, dtype);
    },
    upload: (values, shape, dtype) =>
      store.own({ id: native.create(values, shape, nativeType[dtype]), shape }, shape, dtype),
  };
}

const attributes = new Map<NativeType, readonly Attribute[]>();

/** The one attribute that most operations have: the type of their operands. */
export function typed(type: NativeType): readonly Attribute[] {
  let known = attributes.get(type);
  if (known === undefined) {
    known = [typeAttribute('T', type)];
    attributes.set(type, known);
  }
  return known;
}

export const ofDType = (dtype: DType): readonly Attribute[] => typed(nativeType[dtype]);

/** A conversion between TensorFlow's types. */
export function cast(run: Run, id: number, from: NativeType, to: NativeType): NativeValue {
  return run('Cast', [typeAttribute('SrcT', from), typeAttribute('DstT', to)], [id]);
}
