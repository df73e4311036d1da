/** What went wrong. A program decides by the code; a person reads the message. */
export type MxFormatErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_OPTION'
  | 'SHAPE_MISMATCH'
  | 'UNSUPPORTED'
  | 'DATA_CORRUPT';

export interface MxFormatErrorDetails {
  /** The name of the offending argument, option or field. */
  readonly subject?: string;
  /** The offending value itself. */
  readonly value?: unknown;
  /** What the caller can do about it. */
  readonly remedy?: string;
}

/**
 * The one error type of this package: a code, the offending value and the remedy; the message holds all three. It has the shape
 * of `LmdError` in `@lmd/core`, which this package does not depend on.
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
  }
}
