import { open } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { withFileErrors } from '@lmd/training/node';

/**
 * Reads a whole file, after `check` has validated its length and first bytes, so that an invalid file is rejected
 * before memory is allocated.
 *
 * @param headLength number of bytes passed to `check`; fewer if the file is shorter.
 * @throws LmdError `FILE_SYSTEM`; `DATA_CORRUPT` where it is no regular file or changes while it is read; what `check`
 *   throws.
 */
export async function readWhole(
  path: string,
  headLength: number,
  check: (size: number, head: Uint8Array) => void,
): Promise<Uint8Array> {
  return await withFileErrors('read', path, async () => {
    const file = await open(path, 'r');
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw corrupt(path, 'is not a regular file', 'Use a file.');
      const fill = async (bytes: Uint8Array, from: number) => {
        for (let at = from; at < bytes.length; ) {
          const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, 1 << 30), at);
          if (bytesRead === 0) throw corrupt(path, 'was truncated while it was read', 'Read it again.');
          at += bytesRead;
        }
        return bytes;
      };
      const head = await fill(new Uint8Array(Math.min(headLength, stat.size)), 0);
      check(stat.size, head);
      return await fill(allocate(path, stat.size, head), head.length);
    } finally {
      await file.close();
    }
  });
}

function allocate(path: string, size: number, head: Uint8Array): Uint8Array {
  try {
    const bytes = new Uint8Array(size);
    bytes.set(head);
    return bytes;
  } catch (cause) {
    throw new LmdError('UNSUPPORTED', `${path} has ${size} bytes, which do not fit into memory.`, {
      subject: path,
      value: size,
      remedy: 'Read it on a machine with more memory, or in parts.',
      cause,
    });
  }
}

function corrupt(path: string, problem: string, remedy: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} ${problem}.`, { subject: path, remedy });
}
