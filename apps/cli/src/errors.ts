import { type ErrorCode, isLmdError, LmdError, type LmdErrorDetails } from '@lmd/core';

/** Exit codes of `lmd`: 0 success, 1 failure, 2 a mistake in the command or the configuration, 130 stopped by Ctrl-C. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** A mistake in what was typed or configured, found before anything ran. Ends the command with exit code 2. */
export class UsageError extends LmdError {
  constructor(code: ErrorCode, message: string, details: LmdErrorDetails = {}) {
    super(code, message, details);
    this.name = 'UsageError';
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  return isLmdError(error, 'INTERRUPTED') ? exitCodes.interrupted : exitCodes.failure;
}

/** Codes of Node's file-system errors that a person can act on, and what to do. */
const fileSystemRemedies: Readonly<Record<string, string>> = {
  EACCES: 'Check the permissions of the folder, or name another with --out.',
  EPERM: 'Check the permissions of the folder, or name another with --out.',
  EROFS: 'The disk is read-only: name a folder on another one with --out.',
  ENOSPC: 'The disk is full: free some space, then continue with lmd train --resume <run folder>.',
  EMFILE: 'Too many files are open: close other programs or raise the limit.',
  ENOTDIR: 'A file is in the way: name another folder with --out.',
};

/** Turns Node's file-system errors into typed ones, so that every failure a person can meet is an `LmdError`. */
export function asLmdError(error: unknown): unknown {
  if (isTypedError(error) || !(error instanceof Error)) return error;
  const { code, path } = error as NodeJS.ErrnoException;
  const remedy = code === undefined ? undefined : fileSystemRemedies[code];
  if (code === undefined || remedy === undefined) return error;
  return new LmdError('FILE_SYSTEM', `${error.message}.`, {
    subject: path ?? 'file system',
    value: code,
    remedy,
    cause: error,
  });
}

/** Any error of an `@lmd/*` package: those that do not rest on core have their own type of the same shape. */
type TypedError = Error & Pick<LmdError, 'subject' | 'remedy'> & { readonly code: string };

function isTypedError(error: unknown): error is TypedError {
  return isLmdError(error) || (error instanceof Error && 'code' in error && 'remedy' in error);
}

/** What crosses from a child process to its parent. */
export interface SerializedError {
  readonly code: string | undefined;
  /** As the error holds it, the remedy included. */
  readonly message: string;
  readonly subject: string | undefined;
  readonly remedy: string | undefined;
  readonly stack: string | undefined;
}

export function serializeError(thrown: unknown): SerializedError {
  const error = asLmdError(thrown);
  if (isTypedError(error)) {
    const { code, message, subject, remedy, stack } = error;
    return { code, message, subject, remedy, stack };
  }
  const isError = error instanceof Error;
  return {
    code: undefined,
    message: isError ? error.message : String(error),
    subject: undefined,
    remedy: undefined,
    stack: isError ? error.stack : undefined,
  };
}

export function deserializeError(serialized: SerializedError): Error {
  const { code, subject, message, remedy, stack } = serialized;
  const plain = remedy !== undefined && message.endsWith(` ${remedy}`) ? message.slice(0, -remedy.length - 1) : message;
  const error =
    code === undefined
      ? new Error(message)
      : new LmdError(code as ErrorCode, plain, {
          ...(subject === undefined ? {} : { subject }),
          ...(remedy === undefined ? {} : { remedy }),
        });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** One clear message, without a stack trace unless `debug` asks for it. */
export function describeError(thrown: unknown, debug: boolean): string {
  const error = asLmdError(thrown);
  if (debug && error instanceof Error) return error.stack ?? error.message;
  if (isTypedError(error)) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `Unexpected failure: ${message} Set LMD_DEBUG=1 to see where it comes from.`;
}
