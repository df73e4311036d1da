/** Error codes. Programs should use the code; the message is for people. */
export type MxFormatErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_OPTION'
  | 'SHAPE_MISMATCH'
  | 'UNSUPPORTED'
  | 'DATA_CORRUPT';

/** Works with several copies of this package in one program, unlike `instanceof`. */
const marker = Symbol.for('@lmd/mx-formats.MxFormatError');

export interface MxFormatErrorDetails {
  /** The name of the invalid argument, option or field. */
  readonly subject?: string;
  /** The invalid value. */
  readonly value?: unknown;
  /** How to fix it. */
  readonly remedy?: string;
}

/**
 * The error class of this package: a code, the invalid value and the remedy; the message contains all three. It has the
 * fields of `LmdError` of `@lmd/core`, on which this package does not depend.
 */
export class MxFormatError extends Error {
  readonly code: MxFormatErrorCode;
  readonly subject: string | undefined;
  readonly value: unknown;
  readonly remedy: string | undefined;

  constructor(code: MxFormatErrorCode, message: string, details: MxFormatErrorDetails = {}) {
    super(details.remedy === undefined ? message : `${message} ${details.remedy}`);
    this.name = 'MxFormatError';
    this.code = code;
    this.subject = details.subject;
    this.value = details.value;
    this.remedy = details.remedy;
    Object.defineProperty(this, marker, { value: true });
  }
}

/** True for an `MxFormatError` from any copy of this package, with the given code if one is passed. */
export function isMxFormatError(error: unknown, code?: MxFormatErrorCode): error is MxFormatError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || (error as unknown as MxFormatError).code === code)
  );
}

/** Formats a value for an error message, truncated. Never throws. */
export function describeValue(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'function') return 'a function';
    if (typeof value !== 'object' || value === null) return String(value);
    if (Array.isArray(value)) return describeShape(value);
    const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
    return kind === 'Object' ? 'an object' : `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
  } catch {
    // A revoked proxy, or a getter that throws.
    return 'an object';
  }
}

/** `[2, 3]`, truncated if it is long; `an array` if it has other values than numbers. */
export function describeShape(shape: readonly unknown[]): string {
  const sizes = shape.slice(0, 8).map((size) => (typeof size === 'number' ? String(size) : typeof size));
  return `[${sizes.join(', ')}${shape.length > 8 ? ', ...' : ''}]`;
}
