import { type DType, sizeOf, type Tensor } from '@lmd/core';
import type { Engine, TensorInfo } from './engine.js';
import { engineDType, type Store } from './store.js';

export type Run = Engine['run'];

/** Context of an operation: the engine, the handles, and how a chain of kernels becomes one result. */
export interface Context {
  readonly engine: Engine;
  readonly store: Store;
  /** Runs `body`; frees what its kernels made but its result, which becomes a tensor of the given shape and dtype. */
  compute<Type extends DType>(shape: readonly number[], dtype: Type, body: (run: Run) => TensorInfo): Tensor<Type>;
  /** A tensor that holds `values`, which must not change afterwards. */
  upload<Type extends DType>(values: Float32Array | Int32Array, shape: readonly number[], dtype: Type): Tensor<Type>;
  /** A scalar constant for a kernel; the engine keeps it, so it is made once for each value. */
  constant(value: number, dtype: 'float32' | 'int32'): TensorInfo;
}

export function createContext(engine: Engine, store: Store): Context {
  const constants = new Map<string, TensorInfo>();

  return {
    engine,
    store,
    compute(shape, dtype, body) {
      const made: TensorInfo[] = [];
      let result: TensorInfo | undefined;
      try {
        result = body((name, inputs, attrs) => {
          const info = engine.run(name, inputs, attrs);
          made.push(info);
          return info;
        });
      } finally {
        for (const info of made) if (info.dataId !== result?.dataId) engine.free(info);
      }
      return store.own(result.dataId, shape, dtype);
    },
    upload(values, shape, dtype) {
      const dataId = engine.backend.write(values, [sizeOf(shape)], engineDType[dtype]);
      return store.own(dataId, shape, dtype);
    },
    constant(value, dtype) {
      const name = `${dtype} ${value}`;
      const known = constants.get(name);
      if (known !== undefined) return known;
      const values = dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value);
      const info: TensorInfo = { dataId: engine.backend.write(values, [], dtype), shape: [], dtype };
      constants.set(name, info);
      return info;
    },
  };
}
