import { SafetensorsError } from '../errors.js';

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path, and make the folder first if it is missing.',
  ENOTDIR: 'A part of the path is a file, not a folder: choose another path.',
  EISDIR: 'It is a folder: name a file in it.',
  EACCES: 'Choose a place that you may use, or change its permissions.',
  EPERM: 'Choose a place that you may use, or change its permissions.',
  EROFS: 'The disk is read-only: choose another place.',
  ENOSPC: 'The disk is full: free some space, or choose another place.',
  EDQUOT: 'Your quota on the disk is used up: free some space, or choose another place.',
  EMFILE: 'Too many files are open: close some first.',
};

/** An operating system's error as a `FILE_SYSTEM` error that names the file and the remedy. Others pass through. */
export function fileError(action: string, path: string, cause: unknown): unknown {
  const code = (cause as { code?: unknown } | null)?.code;
  if (cause instanceof SafetensorsError || typeof code !== 'string') return cause;
  return new SafetensorsError('FILE_SYSTEM', `Could not ${action} "${path}" (${code}).`, {
    subject: path,
    value: code,
    remedy: remedies[code] ?? 'See the cause for what the operating system says.',
    cause,
  });
}
