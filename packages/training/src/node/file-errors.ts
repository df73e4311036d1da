import { isLmdError, LmdError } from '@lmd/core';
import { isSafetensorsError } from '@lmd/safetensors';

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path, and create the folder if it is missing.',
  ENOTDIR: 'A part of the path is a file, not a folder: use another path.',
  EEXIST: 'A file with that name exists: move it, or use another path.',
  EISDIR: 'The path is a folder: use the path of a file.',
  EACCES: 'Check the permissions, or use another path.',
  EPERM: 'Check the permissions, or use another path.',
  EROFS: 'The disk is read-only: use another path.',
  ENOSPC: 'The disk is full: free some space, or use another path.',
  EDQUOT: 'The disk quota is exceeded: free some space, or use another path.',
  EMFILE: 'Too many files are open: close some first.',
};

/**
 * Converts an error of the operating system to `FILE_SYSTEM`, with the path and the remedy. Other errors are returned
 * unchanged.
 */
export function fileSystemError(action: string, path: string, cause: unknown): unknown {
  if (isLmdError(cause)) return cause;
  if (isSafetensorsError(cause, 'FILE_SYSTEM')) {
    // The message is already complete, including the remedy.
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
 * Runs `body`. Errors of the operating system become `FILE_SYSTEM`, with the path and the remedy. Other errors are
 * rethrown unchanged.
 *
 * @param action the failed action, as in `Could not <action> <path>`.
 */
export async function withFileErrors<T>(action: string, path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw fileSystemError(action, path, error);
  }
}

/** Whether it is an error of the operating system with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown } | null)?.code === code;
}
