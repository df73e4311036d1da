/** Every error code of the `@lmd/*` packages that rest on core. A program decides by the code; a person reads the message. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_OPTION'
  | 'SHAPE_MISMATCH'
  | 'DTYPE_MISMATCH'
  | 'TENSOR_DISPOSED'
  | 'UNSUPPORTED'
  | 'BACKEND_FAILURE'
  | 'NON_FINITE'
  | 'DATA_CORRUPT'
  | 'CHECKPOINT_CORRUPT'
  | 'CHECKPOINT_MISMATCH'
  | 'RUN_EXISTS'
  | 'RUN_LOCKED'
  | 'FILE_SYSTEM'
  | 'ENGINE_MISSING'
  | 'INTERRUPTED'
  | 'PLUGIN_FAILURE';

/** Survives two copies of this package in one program, which `instanceof` does not. */
const marker = Symbol.for('@lmd/core.LmdError');

export interface LmdErrorDetails {
  /** The name of the offending argument, option, tensor or file. */
  readonly subject?: string;
  /** The offending value itself. */
  readonly value?: unknown;
  /** What the caller can do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error type: a code, the offending value and the remedy. The message holds all three. */
export class LmdError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly value: unknown;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, details: LmdErrorDetails = {}) {
    super(details.remedy === undefined ? message : `${message} ${details.remedy}`, { cause: details.cause });
    this.name = 'LmdError';
    this.code = code;
    this.subject = details.subject;
    this.value = details.value;
    this.remedy = details.remedy;
    Object.defineProperty(this, marker, { value: true });
  }
}

/** True for an `LmdError` from any copy of this package, with the given code if one is named. */
export function isLmdError(error: unknown, code?: ErrorCode): error is LmdError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || (error as unknown as LmdError).code === code)
  );
}
