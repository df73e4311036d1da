import { type ErrorCode, isLmdError, LmdError, type LmdErrorDetails } from '@lmd/core';

/** Exit codes of `lmd`: 0 success, 1 failure, 2 invalid command or configuration, 130 stopped by Ctrl-C. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** A mistake in what was typed or configured, found before anything ran. Ends the command with exit code 2. */
export class UsageError extends LmdError {
  constructor(code: ErrorCode, message: string, details: LmdErrorDetails = {}) {
    super(code, message, details);
    this.name = 'UsageError';
  }
}

/** A library's error about what was typed, as a mistake in the command. */
export function usageError({ code, message, subject, value, remedy, cause }: LmdError): UsageError {
  const plain = remedy === undefined ? message : message.slice(0, -remedy.length - 1);
  return new UsageError(code, plain, {
    ...(subject === undefined ? {} : { subject }),
    ...(remedy === undefined ? {} : { remedy }),
    value,
    cause,
  });
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  return isLmdError(error, 'INTERRUPTED') ? exitCodes.interrupted : exitCodes.failure;
}

/** Remedies for the file-system error codes of Node that a user can act on. Others get a general remedy. */
const fileSystemRemedies: Readonly<Record<string, string>> = {
  EACCES: 'Check the permissions of the folder, or use another with --out.',
  EPERM: 'Check the permissions of the folder, or use another with --out.',
  EROFS: 'The disk is read-only: use a folder on another disk with --out.',
  ENOSPC: 'The disk is full: free some space, then continue with lmd train --resume <run folder>.',
  EMFILE: 'Too many files are open: close other programs or raise the limit.',
  ENOTDIR: 'A file exists where a folder is needed: use another folder with --out.',
  ENOENT: 'Check that the file or folder exists and was not removed during the run.',
  EISDIR: 'It is a folder: remove it, or use another path.',
  EEXIST: 'It exists: remove it, or use another path.',
  ENOTEMPTY: 'The folder is not empty: empty it, or use another path.',
  ENAMETOOLONG: 'The path is too long: use a shorter one.',
  ELOOP: 'The path contains a loop of symbolic links: use another path.',
  EIO: 'The disk reported an error: check the disk, and copy the file again.',
};

/** Converts Node's file-system errors to typed ones, so that every failure a user can cause is an `LmdError`. */
export function asLmdError(error: unknown): unknown {
  if (isTypedError(error) || !(error instanceof Error)) return error;
  const { code, path, errno } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : fileSystemRemedies[code];
  if (code === undefined || (known === undefined && errno === undefined)) return error;
  return new LmdError('FILE_SYSTEM', `${error.message}.`, {
    subject: path ?? 'file system',
    value: code,
    remedy: known ?? 'Check the path and its disk.',
    cause: error,
  });
}

/** Any error of an `@lmd/*` package: packages that do not depend on core have their own type of the same shape. */
type TypedError = Error & Pick<LmdError, 'subject' | 'remedy'> & { readonly code: string };

function isTypedError(error: unknown): error is TypedError {
  return isLmdError(error) || (error instanceof Error && 'code' in error && 'remedy' in error);
}

/** An error as a child process sends it to its parent. */
export interface SerializedError {
  readonly code: string | undefined;
  /** The error's message, including the remedy. */
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
  return `Unexpected failure: ${message.replace(/\.$/, '')}. Set LMD_DEBUG=1 for the stack trace, and report it.`;
}
