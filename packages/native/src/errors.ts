/** Error codes. Programs should use the code; the message is for people. */
export type NativeErrorCode = 'INVALID_ARGUMENT' | 'UNKNOWN_OPTION';

export interface NativeErrorDetails {
  /** The name of the offending argument or option. */
  readonly subject: string;
  /** The offending value itself. */
  readonly value: unknown;
  /** What the caller can do about it. */
  readonly remedy: string;
}

/**
 * The one error type of this package: a code, the offending value and the remedy; the message holds all three. It has
 * the shape of `LmdError` in `@lmd/core`, which this package does not depend on.
 */
export class NativeError extends Error {
  readonly code: NativeErrorCode;
  readonly subject: string;
  readonly value: unknown;
  readonly remedy: string;

  constructor(code: NativeErrorCode, message: string, details: NativeErrorDetails) {
    super(`${message} ${details.remedy}`);
    this.name = 'NativeError';
    this.code = code;
    this.subject = details.subject;
    this.value = details.value;
    this.remedy = details.remedy;
  }
}
