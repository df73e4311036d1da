import { isLmdError, LmdError } from '@lmd/core';
import { isSafetensorsError } from '@lmd/safetensors';
import { fileRemedy } from '@lmd/safetensors/node';

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
    remedy: fileRemedy(code),
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
