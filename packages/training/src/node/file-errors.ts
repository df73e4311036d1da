import { isLmdError, LmdError } from '@lmd/core';
import { isSafetensorsError } from '@lmd/safetensors';

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path, and create the folder if it is missing.',
  ENOTDIR: 'A part of the path is a file, not a folder: choose another path.',
  EEXIST: 'A file of that name exists: move it, or use another path.',
  EISDIR: 'It is a folder: name a file in it.',
  EACCES: 'Choose a place that you may use, or change its permissions.',
  EPERM: 'Choose a place that you may use, or change its permissions.',
  EROFS: 'The disk is read-only: choose another place.',
  ENOSPC: 'The disk is full: free some space, or choose another place.',
  EDQUOT: 'Your quota on the disk is used up: free some space, or choose another place.',
  EMFILE: 'Too many files are open: close some first.',
};

/**
 * An error of the operating system as `FILE_SYSTEM`, naming the path and the remedy. Errors of other kinds pass
 * unchanged.
 */
export function fileSystemError(action: string, path: string, cause: unknown): unknown {
  if (isLmdError(cause)) return cause;
  if (isSafetensorsError(cause, 'FILE_SYSTEM')) {
    // The message is whole already, remedy included.
    return new LmdError('FILE_SYSTEM', cause.message, { subject: path, value: cause.value, cause });
  }
  const { code, errno } = (cause ?? {}) as { code?: unknown; errno?: unknown };
  if (typeof code !== 'string' || typeof errno !== 'number') return cause;
  return new LmdError('FILE_SYSTEM', `Could not ${action} ${path} (${code}).`, {
    subject: path,
    value: code,
    remedy: remedies[code] ?? 'See the cause for the message of the operating system.',
    cause,
  });
}

/**
 * Runs `body`; an error of the operating system in it becomes `FILE_SYSTEM`, naming the path and the remedy. Other
 * errors pass unchanged.
 *
 * @param action what could not be done, as in `Could not <action> <path>`.
 */
export async function withFileErrors<T>(action: string, path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw fileSystemError(action, path, error);
  }
}

/** True for an operating system's error of this code. */
export function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown } | null)?.code === code;
}
