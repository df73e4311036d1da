import { type DType, LmdError } from '@lmd/core';

/** TensorFlow's numbers of the types that appear here (`TF_DataType` of its C interface). */
export const types = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  uint32: 22,
} as const;
export type NativeType = (typeof types)[keyof typeof types];

export const nativeType: Readonly<Record<DType, NativeType>> = {
  f32: types.float32,
  i32: types.int32,
  u8: types.uint8,
};

/** An attribute of an operation, in the form that the binding reads. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean;
}

// `TF_AttrType` of the C interface.
export const intAttribute = (name: string, value: number): Attribute => ({ name, type: 1, value });
export const boolAttribute = (name: string, value: boolean): Attribute => ({ name, type: 3, value });
export const typeAttribute = (name: string, value: NativeType): Attribute => ({ name, type: 4, value });

/**
 * What an operation of TensorFlow gives: the binding's number of a tensor, and the shape that TensorFlow knows it by.
 */
export interface NativeValue {
  readonly id: number;
  readonly shape: readonly number[];
}

/** `tfjs_binding.node`: TensorFlow's eager C interface, as far as it is used here. */
export interface Binding {
  readonly TF_Version: string;
  createTensor(shape: readonly number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): (NativeValue & { readonly dtype: number })[];
  isUsingGpuDevice(): boolean;
}

/** Maximum number of cached constants, so that a program with ever new shapes does not leak. */
const mostConstants = 4096;

/**
 * The engine under TensorFlow.js's backend `tensorflow`, called directly: one call of the binding runs one
 * operation. That goes around the bookkeeping of `tf.engine()`, as the adapter of the other engines does, and reaches
 * operations that TensorFlow.js has no kernel for.
 */
export class Native {
  readonly binding: Binding;
  readonly label: string;
  readonly onGpu: boolean;
  readonly #constants = new Map<string, number>();

  constructor(binding: Binding, label: string) {
    this.binding = binding;
    this.label = label;
    this.onGpu = binding.isUsingGpuDevice();
  }

  run(name: string, attributes: readonly Attribute[], inputs: readonly number[]): NativeValue {
    return this.runAll(name, attributes, inputs, 1)[0]!;
  }

  /** Errors of the engine surface as `BACKEND_FAILURE`. */
  runAll(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number): NativeValue[] {
    try {
      return this.binding.executeOp(name, attributes, inputs, outputs);
    } catch (cause) {
      throw this.#failure(`The operation ${name} of ${this.label} failed: ${(cause as Error).message}`, name, cause);
    }
  }

  /** A tensor on `values`, which must not change afterwards: TensorFlow reads them in place where it can. */
  create(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[], dtype: NativeType): number {
    try {
      return this.binding.createTensor(shape, dtype, values);
    } catch (cause) {
      const message = `${this.label} could not hold a tensor of shape [${shape}]: ${(cause as Error).message}`;
      throw this.#failure(message, 'createTensor', cause);
    }
  }

  read(id: number): Float32Array | Int32Array | Uint8Array {
    try {
      return this.binding.tensorDataSync(id);
    } catch (cause) {
      throw this.#failure(`${this.label} could not read a tensor: ${(cause as Error).message}`, 'read', cause);
    }
  }

  free(id: number): void {
    this.binding.deleteTensor(id);
  }

  /** An int32 vector that says where or along what: made once for each content. */
  indices(values: readonly number[]): number {
    return this.#constant(`v${values}`, () => this.create(Int32Array.from(values), [values.length], types.int32));
  }

  /** A table of int32, row by row. */
  table(rows: readonly (readonly number[])[]): number {
    const columns = rows[0]?.length ?? 0;
    return this.#constant(`t${columns}:${rows}`, () =>
      this.create(Int32Array.from(rows.flat()), [rows.length, columns], types.int32),
    );
  }

  /** A scalar: made once for each value. */
  scalar(value: number, type: typeof types.float32 | typeof types.int32 | typeof types.int64): number {
    return this.#constant(`${type}:${Object.is(value, -0) ? '-0' : value}`, () => {
      if (type === types.float32) return this.create(Float32Array.of(value), [], type);
      if (type === types.int32) return this.create(Int32Array.of(value), [], type);
      return this.wide(value);
    });
  }

  /**
   * A scalar of int64 that the caller frees. The binding takes 64-bit integers as pairs of words, the low one first.
   */
  wide(value: number): number {
    return this.create(Int32Array.of(value, Math.floor(value / 2 ** 32)), [], types.int64);
  }

  /** Makes room among the constants: to be called where none is in use. */
  trimConstants(): void {
    if (this.#constants.size <= mostConstants) return;
    for (const id of this.#constants.values()) this.free(id);
    this.#constants.clear();
  }

  #constant(key: string, make: () => number): number {
    let id = this.#constants.get(key);
    if (id === undefined) {
      id = make();
      this.#constants.set(key, id);
    }
    return id;
  }

  #failure(message: string, subject: string, cause: unknown): LmdError {
    // Status 8 of TensorFlow is RESOURCE_EXHAUSTED.
    const full = /TF_Status: 8\b|OOM when allocating/.test(message);
    return new LmdError('BACKEND_FAILURE', message, {
      subject,
      cause,
      ...(full ? { remedy: 'Memory is full: use a smaller batch or model.' } : {}),
    });
  }
}
