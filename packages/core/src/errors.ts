import { typedArrayName } from './tensor.js';

/** All error codes of the `@lmd/*` packages that depend on core. Programs check the code; the message is for people. */
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
  | 'PLUGIN_FAILURE'
  | 'WORKER_MISSING'
  | 'WORKERS_DIVERGED'
  | 'TRANSPORT_FAILURE'
  | 'RESULT_MISMATCH';

/** Identifies errors across several copies of this package in one program, unlike `instanceof`. */
const marker = Symbol.for('@lmd/core.LmdError');

export interface LmdErrorDetails {
  /** The name of the offending argument, option, tensor or file. */
  readonly subject?: string;
  /** The offending value itself. */
  readonly value?: unknown;
  /** What the caller can do. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The error type of all packages. The message contains the problem, the value and the remedy. */
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

/** The message of whatever was thrown, also of another realm's error. */
export function messageOf(thrown: unknown): string {
  const message = (thrown as Partial<Error> | null | undefined)?.message;
  return typeof message === 'string' ? message : describeValue(thrown);
}

/** A short text of a value for error messages. Never throws. */
export function describeValue(value: unknown): string {
  try {
    return describeAny(value, true);
  } catch {
    // A revoked proxy, or a getter that throws.
    return 'an object';
  }
}

function describeAny(value: unknown, nested: boolean): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) {
    if (!nested) return 'an array';
    const shown = value.slice(0, 8).map((item) => describeAny(item, false));
    return `[${shown.join(', ')}${value.length > 8 ? ', ...' : ''}]`;
  }
  const kind = typedArrayName(value) ?? Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (kind !== 'Object') return `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
  const keys = nested ? Object.keys(value).slice(0, 4) : [];
  return keys.length === 0 ? 'an object' : `an object with ${keys.join(', ')}`;
}
