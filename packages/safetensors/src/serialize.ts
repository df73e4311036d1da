import { arrayKind } from './array-kind.js';
import { alignmentOrder, byteLengthOf, type SafetensorsDtype } from './dtypes.js';
import { SafetensorsError, show } from './errors.js';
import { lengthBytes, maxHeaderBytes, type TensorEntry } from './header.js';
import { nameError } from './header-scanner.js';
import type { SafetensorsTensor } from './parse.js';

export interface SafetensorsInput {
  /** Tensors by name; a `Map` or a plain record. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor> | { readonly [name: string]: SafetensorsTensor };
  readonly metadata?: { readonly [name: string]: string };
}

/**
 * The bytes of a safetensors file. The bytes do not depend on the order of tensors and metadata: tensors are sorted by
 * alignment, widest first, and then by name, as in the original library; metadata by name. The header is padded with
 * spaces so that the data begins at a multiple of 8.
 *
 * @throws SafetensorsError for a name or metadata that the format does not support, and for data whose length does not
 * match dtype and shape.
 */
export function serializeSafetensors(input: SafetensorsInput): Uint8Array {
  const { start, data, byteLength } = layOut(input);
  const bytes = new Uint8Array(byteLength);
  bytes.set(start);
  let offset = start.length;
  for (const part of data) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

export interface Layout {
  /** The header with its length before it. */
  readonly start: Uint8Array;
  /** The tensor data, in order. */
  readonly data: readonly Uint8Array[];
  readonly byteLength: number;
}

/** The parts of a file, in order, without copying tensor data: a writer may write them one by one. */
export function layOut(input: SafetensorsInput): Layout {
  const tensors = checkedInput(input);
  for (const [name, tensor] of tensors) checkTensor(name, tensor);
  const { start, entries, byteLength } = layOutHeader(tensors, input.metadata);
  const byName = new Map(tensors);
  return { start, data: [...entries.keys()].map((name) => byName.get(name)!.data), byteLength };
}

export interface HeaderLayout {
  /** The header with its length before it. */
  readonly start: Uint8Array;
  /** The position of each tensor, in the order of their bytes. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Size of the whole file. */
  readonly byteLength: number;
}

/** A tensor without its bytes. */
export interface SafetensorsDescription {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

/** Computes the header of a file and the position of each tensor from dtypes and shapes. */
export function layOutHeader(
  tensors: readonly (readonly [string, SafetensorsDescription])[],
  metadata: SafetensorsInput['metadata'],
): HeaderLayout {
  for (const [name] of tensors) checkName(name, 'tensor');
  const sized = tensors.map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
    bytes: byteLengthOf(dtype, shape, name),
  }));
  sized.sort((a, b) => alignmentOrder(b.dtype) - alignmentOrder(a.dtype) || compareCodePoints(a.name, b.name));
  const members: string[] = [];
  const member = metadataMember(metadata);
  if (member !== undefined) members.push(member);
  const entries = new Map<string, TensorEntry>();
  let begin = 0;
  for (const { name, dtype, shape, bytes } of sized) {
    const end = begin + bytes;
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
    entries.set(name, { dtype, shape: [...shape], begin, end });
    begin = end;
  }
  const start = headerBytes(`{${members.join(',')}}`);
  return { start, entries, byteLength: start.length + begin };
}

/** Validates the options and returns the tensors as pairs of name and value. */
export function checkedInput<T>(input: {
  readonly tensors: ReadonlyMap<string, T> | { readonly [name: string]: T };
  readonly metadata?: SafetensorsInput['metadata'];
}): [string, T][] {
  if (typeof input !== 'object' || input === null || typeof input.tensors !== 'object' || input.tensors === null) {
    throw new SafetensorsError('INVALID_ARGUMENT', `The tensors to write are ${show(input)}.`, {
      subject: 'tensors',
      value: input,
      remedy: 'Use { tensors, metadata }, with the tensors by name.',
    });
  }
  for (const option of Object.keys(input)) {
    if (option === 'tensors' || option === 'metadata') continue;
    throw new SafetensorsError('INVALID_ARGUMENT', `Unknown option "${option}".`, {
      subject: option,
      remedy: 'The options are: tensors, metadata.',
    });
  }
  return input.tensors instanceof Map ? [...input.tensors] : Object.entries(input.tensors);
}

function headerBytes(json: string): Uint8Array {
  const encoded = new TextEncoder().encode(json);
  const length = Math.ceil(encoded.length / lengthBytes) * lengthBytes;
  if (length > maxHeaderBytes) {
    throw new SafetensorsError(
      'HEADER_TOO_LARGE',
      `The header has ${length} bytes, but the format allows at most ${maxHeaderBytes}.`,
      {
        subject: 'header',
        value: length,
        remedy: 'Write fewer tensors or less metadata into one file.',
      },
    );
  }
  const start = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  start.set(encoded, lengthBytes);
  return start;
}

function metadataMember(metadata: SafetensorsInput['metadata']): string | undefined {
  if (metadata === undefined) return undefined;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata) || metadata instanceof Map) {
    throw metadataError('__metadata__', metadata, 'Use a record of strings.');
  }
  const entries = Object.entries(metadata).sort(([a], [b]) => compareCodePoints(a, b));
  if (entries.length === 0) return undefined;
  for (const [name, value] of entries) {
    checkName(name, 'metadata');
    if (typeof value !== 'string')
      throw metadataError(name, value, 'Values must be strings: use JSON text for other values.');
    if (loneSurrogate.test(value))
      throw metadataError(name, value, 'Remove its lone surrogate, which UTF-8 cannot represent.');
  }
  return `"__metadata__":{${entries.map((entry) => entry.map((text) => JSON.stringify(text)).join(':')).join(',')}}`;
}

const loneSurrogate = /\p{Surrogate}/u;

function checkName(name: unknown, kind: 'tensor' | 'metadata'): void {
  if (typeof name !== 'string') throw nameError(String(name), 'is not a string', 'Names must be strings.');
  if (name === '__proto__')
    throw nameError(name, `is a ${kind} name`, 'Use another name: this one has a special meaning in JavaScript.');
  if (name === '__metadata__' && kind === 'tensor') {
    throw nameError(name, 'is a tensor name', 'Use another name: the format reserves this one for metadata.');
  }
  if (loneSurrogate.test(name))
    throw nameError(name, 'contains a lone surrogate', 'Remove it: UTF-8 cannot represent it.');
}

function checkTensor(name: string, tensor: SafetensorsTensor): void {
  if (typeof tensor !== 'object' || tensor === null || arrayKind(tensor.data) !== 'Uint8Array') {
    throw new SafetensorsError('INVALID_ARGUMENT', `The tensor ${show(name)} has no bytes.`, {
      subject: name,
      value: tensor,
      remedy: 'Use { dtype, shape, data: Uint8Array }, for example from tensorFrom.',
    });
  }
  const bytes = byteLengthOf(tensor.dtype, tensor.shape, name);
  if (tensor.data.length === bytes) return;
  throw new SafetensorsError(
    'SHAPE_INVALID',
    `${show(name)} has ${tensor.data.length} bytes, but ${tensor.dtype} of shape [${tensor.shape}] takes ${bytes}.`,
    { subject: name, value: tensor.data.length, remedy: 'Use exactly the bytes of the elements of the shape.' },
  );
}

function metadataError(name: string, value: unknown, remedy: string): SafetensorsError {
  return new SafetensorsError('INVALID_ARGUMENT', `The metadata ${show(name)} is ${show(value)}.`, {
    subject: name,
    value,
    remedy,
  });
}

/** The order of the UTF-8 bytes, which is not that of JavaScript's UTF-16 units beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    // Surrogates represent code points above all others; their units are in the correct order among themselves.
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
