import { SafetensorsError, show } from './errors.js';

/**
 * The element types of the format with their bits, in the format's order of alignment, by which the tensors of a file
 * are sorted. Elements of 4 and 6 bits are packed densely, so their tensors must fill whole bytes.
 */
const bitsByDtype = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDtype = keyof typeof bitsByDtype;

/** Every element type, from the least aligned to the most. */
export const safetensorsDtypes = Object.freeze(Object.keys(bitsByDtype)) as readonly SafetensorsDtype[];

const orderByDtype = new Map<string, number>(safetensorsDtypes.map((dtype, index) => [dtype, index]));

export function isSafetensorsDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && orderByDtype.has(value);
}

/** Bits of one element. */
export function bitsPerElement(dtype: SafetensorsDtype): number {
  checkDtype('dtype', dtype);
  return bitsByDtype[dtype];
}

/** Position of the type in the order of alignment. */
export function alignmentOrder(dtype: SafetensorsDtype): number {
  return orderByDtype.get(dtype)!;
}

export function checkDtype(subject: string, dtype: unknown): asserts dtype is SafetensorsDtype {
  if (isSafetensorsDtype(dtype)) return;
  throw new SafetensorsError('DTYPE_UNKNOWN', `"${subject}" has the unknown dtype ${show(dtype)}.`, {
    subject,
    value: dtype,
    remedy: `Use one of ${safetensorsDtypes.join(', ')}.`,
  });
}

/**
 * Size of a tensor in bytes.
 * @throws SafetensorsError `DTYPE_UNKNOWN`; `SHAPE_INVALID` for a dimension that is not a non-negative integer, for
 * more elements or bits than 2^53 − 1, and for elements of 4 or 6 bits that do not fill whole bytes.
 */
export function byteLengthOf(dtype: SafetensorsDtype, shape: readonly number[], subject = 'shape'): number {
  checkDtype(subject, dtype);
  if (!Array.isArray(shape)) throw shapeError(subject, shape, 'is not an array', 'Use an array of dimensions.');
  let bits: number = bitsByDtype[dtype];
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw shapeError(subject, shape, `has the dimension ${show(extent)}`, 'Use integers of at least 0.');
    }
    bits *= extent;
    if (!Number.isSafeInteger(bits)) {
      throw shapeError(
        subject,
        shape,
        'has more than 2^53 − 1 bits',
        'The file is damaged, or too large for this machine.',
      );
    }
  }
  if (bits % 8 !== 0) {
    throw shapeError(
      subject,
      shape,
      `takes ${bits} bits as ${dtype}, which do not fill whole bytes`,
      `Pad the elements to a multiple of ${dtype === 'F4' ? 2 : 4}.`,
    );
  }
  return bits / 8;
}

function shapeError(subject: string, shape: unknown, problem: string, remedy: string): SafetensorsError {
  return new SafetensorsError('SHAPE_INVALID', `The shape ${show(shape)} of "${subject}" ${problem}.`, {
    subject,
    value: shape,
    remedy,
  });
}
