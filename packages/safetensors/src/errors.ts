/** Every code of a `SafetensorsError`. A program decides by the code; a person reads the message. */
export type SafetensorsErrorCode =
  /** The bytes end before what the header promises, or before the header. */
  | 'TRUNCATED'
  /** The header is longer than the format allows. */
  | 'HEADER_TOO_LARGE'
  /** The header is not the JSON that the format allows. */
  | 'HEADER_INVALID'
  /** A name stands twice, or is one that this package refuses. */
  | 'NAME_INVALID'
  | 'DTYPE_UNKNOWN'
  /** A shape that is no list of extents, overflows, or does not fill whole bytes. */
  | 'SHAPE_INVALID'
  /** Offsets that overlap, leave a hole, run backwards, leave bytes over, or do not fit dtype and shape. */
  | 'OFFSETS_INVALID'
  | 'TENSOR_MISSING'
  | 'DTYPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'FILE_SYSTEM';

/** Survives two copies of this package in one program, which `instanceof` does not. */
const marker = Symbol.for('@lmd/safetensors.SafetensorsError');

export interface SafetensorsErrorDetails {
  /** The name of the offending tensor, argument or file. */
  readonly subject?: string;
  /** The offending value itself. */
  readonly value?: unknown;
  /** What the caller can do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error type of this package: a code, the offending value and the remedy. The message holds all three. */
export class SafetensorsError extends Error {
  readonly code: SafetensorsErrorCode;
  readonly subject: string | undefined;
  readonly value: unknown;
  readonly remedy: string | undefined;

  constructor(code: SafetensorsErrorCode, message: string, details: SafetensorsErrorDetails = {}) {
    super(details.remedy === undefined ? message : `${message} ${details.remedy}`, { cause: details.cause });
    this.name = 'SafetensorsError';
    this.code = code;
    this.subject = details.subject;
    this.value = details.value;
    this.remedy = details.remedy;
    Object.defineProperty(this, marker, { value: true });
  }
}

/** True for a `SafetensorsError` from any copy of this package, with the given code if one is named. */
export function isSafetensorsError(error: unknown, code?: SafetensorsErrorCode): error is SafetensorsError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || (error as unknown as SafetensorsError).code === code)
  );
}

/** A value as a message shows it: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (Array.isArray(value)) {
    return value.length > 8 ? `[${value.slice(0, 8).map(show).join(', ')}, ...]` : `[${value.map(show).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}
