import { LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { Operations } from '../operations.js';
import { assertRandomKey } from '../random/random-key.js';
import type { DType, TensorData } from '../tensor.js';
import { type Context, checkDType, checkNumber } from './context.js';
import { checkShape, formatShape, type Shape } from './shapes.js';

export type CreationOperations = Pick<
  Operations,
  'fromData' | 'full' | 'zeros' | 'read' | 'randomBits' | 'randomUniform' | 'randomNormal'
>;

export function creationOperations({ backend, check, constant, size, track }: Context): CreationOperations {
  function random(name: 'randomBits' | 'randomUniform' | 'randomNormal') {
    const dtype = name === 'randomBits' ? 'i32' : 'f32';
    return (shape: Shape, key: RandomKey) => {
      checkShape(name, shape);
      assertRandomKey(key, name);
      return size(name, shape) === 0 ? constant(name, shape, 0, dtype) : track(name, backend[name](shape, key));
    };
  }

  function full(name: string, shape: Shape, value: number, dtype: DType) {
    checkShape(name, shape);
    checkDType(name, dtype);
    checkNumber(name, value, dtype);
    size(name, shape);
    return constant(name, shape, value, dtype);
  }

  return {
    fromData(data, shape = [data.length], dtype = dtypeOf(data)) {
      checkShape('fromData', shape);
      checkDType('fromData', dtype);
      const elements = size('fromData', shape);
      if (data.length !== elements) {
        throw new LmdError(
          'SHAPE_MISMATCH',
          `fromData: ${data.length} values for shape ${formatShape(shape)}, which has ${elements} elements.`,
          { subject: 'data', value: data.length },
        );
      }
      return track('fromData', backend.fromData(typedData(data, dtype), shape, dtype));
    },
    full: (shape, value, dtype = 'f32') => full('full', shape, value, dtype),
    zeros: (shape, dtype = 'f32') => full('zeros', shape, 0, dtype),
    async read(x) {
      check('read', x);
      return backend.read(x);
    },
    randomBits: random('randomBits'),
    randomUniform: random('randomUniform'),
    randomNormal: random('randomNormal'),
  };
}

type AnyData = TensorData | Float64Array | readonly number[];

function dtypeOf(data: AnyData): DType {
  if (data instanceof Int32Array) return 'i32';
  return data instanceof Uint8Array ? 'u8' : 'f32';
}

/** Plain numbers become an array of the dtype's kind (float64 for f32, which the backend rounds); typed arrays must fit. */
function typedData(data: AnyData, dtype: DType): TensorData | Float64Array {
  if (Array.isArray(data)) {
    for (const value of data) checkNumber('fromData', value, dtype);
    if (dtype === 'f32') return Float64Array.from(data);
    return dtype === 'i32' ? Int32Array.from(data) : Uint8Array.from(data);
  }
  const fits =
    dtype === 'f32'
      ? data instanceof Float32Array || data instanceof Float64Array
      : dtype === 'i32'
        ? data instanceof Int32Array
        : data instanceof Uint8Array;
  if (fits) return data as TensorData | Float64Array;
  throw new LmdError('DTYPE_MISMATCH', `fromData: ${kindOf(data)} data for dtype ${dtype}.`, {
    subject: 'data',
    value: dtype,
    remedy: 'f32 takes a Float32Array or Float64Array, i32 an Int32Array, u8 a Uint8Array; plain arrays fit all.',
  });
}

function kindOf(data: unknown): string {
  return Object.prototype.toString.call(data).slice('[object '.length, -1);
}
