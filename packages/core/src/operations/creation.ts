import { describeValue, LmdError } from '../errors.js';
import type { RandomKey } from '../formats.js';
import type { EagerOperations } from '../operations.js';
import { primitiveDTypes } from '../primitive-dtypes.js';
import { assertRandomKey } from '../random/random-key.js';
import {
  type DType,
  isTypedArray,
  sizeOf,
  type Tensor,
  type TensorData,
  type TypedArrayName,
  tensorDataOf,
  typedArrayName,
} from '../tensor.js';
import { type Context, checkDType, checkNumber } from './context.js';
import { checkShape, formatShape, type Shape } from './shapes.js';

export type CreationOperations = Pick<
  EagerOperations,
  'fromData' | 'full' | 'zeros' | 'read' | 'readInto' | 'randomBits' | 'randomUniform' | 'randomNormal'
>;

type AnyData = TensorData | Float64Array | readonly number[];

export function creationOperations({ backend, check, constant, size, track }: Context): CreationOperations {
  function random(name: 'randomBits' | 'randomUniform' | 'randomNormal') {
    const dtype = primitiveDTypes[name].result;
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
    fromData(data, givenShape, dtype = dtypeOf(data) ?? 'f32') {
      checkData(data);
      const shape = givenShape ?? [data.length];
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
    readInto(x, into) {
      check('readInto', x);
      checkRoom(x, into);
      if (backend.readInto === undefined) return backend.read(x).then((data) => into.set(data));
      backend.readInto(x, into);
      return undefined;
    },
    randomBits: random('randomBits'),
    randomUniform: random('randomUniform'),
    randomNormal: random('randomNormal'),
  };
}

/** The dtype that each class of typed array fills. */
const dtypes: Partial<Record<TypedArrayName, DType>> = {
  Float32Array: 'f32',
  Float64Array: 'f32',
  Int32Array: 'i32',
  Uint8Array: 'u8',
};

/** Throws unless an array has the dtype and the size of `x`. */
function checkRoom(x: Tensor, into: TensorData): void {
  if (dtypeOf(into) !== x.dtype || isTypedArray(into, 'Float64Array')) {
    throw new LmdError('DTYPE_MISMATCH', `readInto: into is ${describeValue(into)}, but the tensor is ${x.dtype}.`, {
      subject: 'into',
      value: into,
      remedy: 'Use a Float32Array for f32, an Int32Array for i32, and a Uint8Array for u8.',
    });
  }
  const elements = sizeOf(x.shape);
  if (into.length === elements) return;
  throw new LmdError(
    'SHAPE_MISMATCH',
    `readInto: into has ${into.length} elements, and the tensor of shape ${formatShape(x.shape)} has ${elements}.`,
    { subject: 'into', value: into.length, remedy: 'Use an array of the size of the tensor.' },
  );
}

/** Throws unless `data` is a plain array or a typed array that fills some dtype. */
function checkData(data: unknown): void {
  if (Array.isArray(data) || dtypeOf(data) !== undefined) return;
  throw new LmdError('INVALID_ARGUMENT', `fromData: data is ${describeValue(data)}.`, {
    subject: 'data',
    value: data,
    remedy: `Use ${dataRule}.`,
  });
}

const dataRule =
  'a Float32Array or Float64Array for f32, an Int32Array for i32, a Uint8Array for u8, or numbers in an array';

function dtypeOf(data: unknown): DType | undefined {
  const name = typedArrayName(data);
  return name === undefined ? undefined : dtypes[name];
}

/**
 * Plain numbers become an array of the dtype's kind (float64 for f32, which the backend rounds); typed arrays must fit.
 */
function typedData(data: AnyData, dtype: DType): TensorData | Float64Array {
  if (Array.isArray(data)) {
    // By position: `for of` and `from` would take a hole for undefined, and that for NaN.
    for (let i = 0; i < data.length; i++) checkNumber('fromData', data[i], dtype);
    if (dtype === 'f32') return Float64Array.from(data);
    return dtype === 'i32' ? Int32Array.from(data) : Uint8Array.from(data);
  }
  if (dtypeOf(data) === dtype) return tensorDataOf(data)!;
  throw new LmdError('DTYPE_MISMATCH', `fromData: data is ${describeValue(data)}, and dtype is "${dtype}".`, {
    subject: 'data',
    value: dtype,
    remedy: `Use ${dataRule}.`,
  });
}
