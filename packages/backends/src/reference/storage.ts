import { type DType, LmdError, sizeOf, type Tensor } from '@lmd/core';

/** What a tensor holds: f32 as Float32Array or Float64Array (`storage` option), i32 as Int32Array, u8 as Uint8Array. */
export type Values = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Shared by the handles that `reshape` makes of one another. */
interface Buffer {
  values: Values;
  handles: number;
}

class ReferenceTensor<Type extends DType = DType> implements Tensor<Type> {
  readonly shape: readonly number[];
  readonly dtype: Type;
  buffer: Buffer | undefined;

  constructor(shape: readonly number[], dtype: Type, buffer: Buffer) {
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.buffer = buffer;
    buffer.handles++;
  }
}

/** Makes, reads and frees handles, and counts exactly what live handles hold. */
export class Store {
  readonly precision: 'f32' | 'f64';
  #tensors = 0;
  #bytes = 0;

  constructor(precision: 'f32' | 'f64') {
    this.precision = precision;
  }

  /** Zeros, of the kind in which results of this dtype are stored. */
  allocate(size: number, dtype: DType): Values {
    return new (this.#kindOf(dtype))(size);
  }

  #kindOf(dtype: DType) {
    if (dtype === 'i32') return Int32Array;
    if (dtype === 'u8') return Uint8Array;
    return this.precision === 'f32' ? Float32Array : Float64Array;
  }

  /** A handle that owns `values`; computed in float64, they are rounded to the stored kind here, once. */
  make<Type extends DType>(
    values: Values | readonly number[],
    shape: readonly number[],
    dtype: Type,
  ): ReferenceTensor<Type> {
    const kind = this.#kindOf(dtype);
    const isKind = Object.getPrototypeOf(values) === kind.prototype;
    const stored = isKind ? (values as Values) : new kind(values);
    if (stored.length !== sizeOf(shape)) {
      throw new LmdError('BACKEND_FAILURE', `Internal error: ${stored.length} values for the shape [${shape}].`);
    }
    this.#bytes += stored.byteLength;
    this.#tensors++;
    return new ReferenceTensor(shape, dtype, { values: stored, handles: 0 });
  }

  /** Another handle on the same values. */
  share<Type extends DType>(x: Tensor<Type>, shape: readonly number[]): ReferenceTensor<Type> {
    const buffer = this.#bufferOf(x);
    this.#tensors++;
    return new ReferenceTensor(shape, x.dtype, buffer);
  }

  /** The values of a live handle; never to be written to. */
  values(x: Tensor): Values {
    return this.#bufferOf(x).values;
  }

  free(x: Tensor): void {
    const buffer = this.#bufferOf(x);
    (x as ReferenceTensor).buffer = undefined;
    this.#tensors--;
    if (--buffer.handles === 0) this.#bytes -= buffer.values.byteLength;
  }

  memory(): { tensors: number; bytes: number } {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  #bufferOf(x: Tensor): Buffer {
    if (!(x instanceof ReferenceTensor)) {
      throw new LmdError('INVALID_ARGUMENT', 'This tensor was not created by the reference backend.', {
        subject: 'tensor',
        value: x,
        remedy: 'Read it from its own backend and create it on this one with fromData.',
      });
    }
    if (x.buffer === undefined) {
      throw new LmdError(
        'TENSOR_DISPOSED',
        `Internal error: a tensor of shape [${x.shape}] was used after it was disposed.`,
        {
          subject: 'tensor',
          value: x,
        },
      );
    }
    return x.buffer;
  }
}
