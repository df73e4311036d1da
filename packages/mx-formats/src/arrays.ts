import { describeValue, MxFormatError } from './errors.js';

/**
 * `%TypedArray%.prototype[@@toStringTag]`, a getter that reads an internal slot: it identifies typed arrays of every
 * realm.
 */
const readTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as (this: unknown) => string | undefined;

/**
 * Checks that `values` are a Float32Array, of any realm: the kernels read the bits of its buffer.
 *
 * @throws MxFormatError `INVALID_ARGUMENT`, naming the argument
 */
export function checkFloats(subject: string, values: unknown): asserts values is Float32Array {
  if (readTag.call(values) === 'Float32Array') return;
  throw wrongArray(subject, values, 'Use a Float32Array. Float32Array.from(…) converts other numbers.');
}

/**
 * Checks that `bytes` are a Uint8Array, of any realm; a Node `Buffer` is one. @throws MxFormatError `INVALID_ARGUMENT`
 */
export function checkByteArray(subject: string, bytes: unknown): asserts bytes is Uint8Array {
  if (readTag.call(bytes) === 'Uint8Array') return;
  throw wrongArray(subject, bytes, 'Use a Uint8Array.');
}

function wrongArray(subject: string, value: unknown, remedy: string): MxFormatError {
  return new MxFormatError('INVALID_ARGUMENT', `${subject} is ${describeValue(value)}.`, { subject, value, remedy });
}
