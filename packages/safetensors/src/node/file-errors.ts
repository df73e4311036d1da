import { SafetensorsError } from '../errors.js';

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

/** What to do about an error of the operating system, by its code such as `ENOENT`. */
export function fileRemedy(code: string): string {
  return remedies[code] ?? 'See the cause for the message of the operating system.';
}

/** Converts an operating system's error to `FILE_SYSTEM`, with the file and the remedy. Other errors are unchanged. */
export function fileError(action: string, path: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (cause instanceof SafetensorsError || typeof code !== 'string') return cause;
  return new SafetensorsError('FILE_SYSTEM', `Could not ${action} "${path}" (${code}).`, {
    subject: path,
    value: code,
    remedy: fileRemedy(code),
    cause,
  });
}
