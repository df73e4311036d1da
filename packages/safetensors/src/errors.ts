/** Every code of a `SafetensorsError`. Programs should use the code; the message is for people. */
export type SafetensorsErrorCode =
  /** The bytes end before the end of the header or of the data. */
  | 'TRUNCATED'
  /** The header is longer than the format allows. */
  | 'HEADER_TOO_LARGE'
  /** The header is not valid JSON of the format. */
  | 'HEADER_INVALID'
  /** A name is duplicate or not allowed. */
  | 'NAME_INVALID'
  | 'DTYPE_UNKNOWN'
  /** A shape is not a list of dimensions, overflows, or does not fill whole bytes. */
  | 'SHAPE_INVALID'
  /** Offsets overlap, leave a gap, are not increasing, leave trailing bytes, or do not match dtype and shape. */
  | 'OFFSETS_INVALID'
  | 'TENSOR_MISSING'
  | 'DTYPE_MISMATCH'
  | 'INVALID_ARGUMENT'
  | 'FILE_SYSTEM';

/** Works with several copies of this package in one program, unlike `instanceof`. */
const marker = Symbol.for('@lmd/safetensors.SafetensorsError');

export interface SafetensorsErrorDetails {
  /** The name of the invalid tensor, argument or file. */
  readonly subject?: string;
  /** The invalid value. */
  readonly value?: unknown;
  /** How to fix it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The error class of this package: a code, the invalid value and the remedy. The message contains all three. */
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

/** True for a `SafetensorsError` from any copy of this package, with the given code if one is passed. */
export function isSafetensorsError(error: unknown, code?: SafetensorsErrorCode): error is SafetensorsError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || (error as unknown as SafetensorsError).code === code)
  );
}

/** Formats a value for a message, truncated. Never throws. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (Array.isArray(value)) {
    return value.length > 8 ? `[${value.slice(0, 8).map(show).join(', ')}, ...]` : `[${value.map(show).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}
