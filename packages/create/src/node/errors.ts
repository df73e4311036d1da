/** Every code of a `CreateError`. Programs should use the code; the message is for people. */
export type CreateErrorCode =
  /** The kind is none of those that have a template. */
  | 'UNKNOWN_KIND'
  /** The folder exists and is not empty, or is a file. */
  | 'FOLDER_EXISTS'
  /** The folder's name cannot be the name of an npm package. */
  | 'NAME_INVALID'
  /** The operating system refuses to write the folder. */
  | 'FILE_SYSTEM'
  /** An argument is missing, unknown or of another type. */
  | 'INVALID_ARGUMENT';

/** Works with several copies of this package in one program, unlike `instanceof`. */
const marker = Symbol.for('@lmd/create.CreateError');

export interface CreateErrorDetails {
  /** The invalid value. */
  readonly value?: unknown;
  /** How to fix it. */
  readonly remedy: string;
}

/** The error class of this package: a code, the invalid value and the remedy. The message contains all three. */
export class CreateError extends Error {
  readonly code: CreateErrorCode;
  readonly value: unknown;
  readonly remedy: string;

  constructor(code: CreateErrorCode, message: string, { value, remedy }: CreateErrorDetails) {
    super(`${message} ${remedy}`);
    this.name = 'CreateError';
    this.code = code;
    this.value = value;
    this.remedy = remedy;
    Object.defineProperty(this, marker, { value: true });
  }
}

/** True for a `CreateError` from any copy of this package, with the given code if one is passed. */
export function isCreateError(error: unknown, code?: CreateErrorCode): error is CreateError {
  return (
    typeof error === 'object' &&
    error !== null &&
    marker in error &&
    (code === undefined || (error as unknown as CreateError).code === code)
  );
}
