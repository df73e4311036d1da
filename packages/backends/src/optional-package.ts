import { messageOf } from '@lmd/core';
/** Whether an import failed because there is no package of that name, rather than for what is in it. */
export function isMissing(packageName: string, cause: unknown): boolean {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isNotFound && String(message).includes(`'${packageName}'`);
}

/** The first line of what went wrong, without the full stop: what Node says after it are stacks of files. */
export function firstLine(cause: unknown): string {
  return messageOf(cause).split('\n')[0]!.replace(/\.$/, '');
}
