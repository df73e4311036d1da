import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LmdError, withoutByteOrderMark } from '@lmd/core';
import { fileSystemError, withFileErrors } from '@lmd/training/node';

/** Bytes read at once. */
const blockBytes = 1 << 22;

/**
 * The text of a file in parts, so that a file larger than memory can be read. A byte order mark at the beginning is
 * removed.
 *
 * @throws LmdError `DATA_CORRUPT` naming the file and the offset of the first invalid byte; `FILE_SYSTEM`.
 */
export async function* readUtf8(path: string, block = blockBytes): AsyncGenerator<string> {
  const file = await withFileErrors('read', path, () => open(path, 'r'));
  try {
    // A buffer with room for the three bytes at most that a cut character leaves over.
    const buffer = new Uint8Array(block + 3);
    let kept = 0;
    let position = 0;
    for (;;) {
      const bytesRead = await readInto(file, path, buffer, kept, block);
      const length = kept + bytesRead;
      const whole = bytesRead === 0 ? length : length - cutCharacter(buffer, length);
      if (whole > 0) {
        const text = decode(path, buffer.subarray(0, whole), position);
        yield position === 0 ? withoutByteOrderMark(text) : text;
      }
      if (bytesRead === 0) return;
      position += whole;
      buffer.copyWithin(0, whole, length);
      kept = length - whole;
    }
  } finally {
    await file.close();
  }
}

/**
 * The text of a file that fits into memory. A byte order mark at the beginning is removed.
 *
 * @throws LmdError as `readUtf8`.
 */
export function readUtf8Sync(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
  return withoutByteOrderMark(decode(path, bytes, 0));
}

async function readInto(
  file: FileHandle,
  path: string,
  buffer: Uint8Array,
  offset: number,
  length: number,
): Promise<number> {
  return (await withFileErrors('read', path, () => file.read(buffer, offset, length, null))).bytesRead;
}

/** How many bytes at the end are the beginning of a character whose rest is yet to come: 0 to 3. */
function cutCharacter(buffer: Uint8Array, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = buffer[length - back]!;
    if (byte >= 0x80 && byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

function decode(path: string, bytes: Uint8Array, position: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const offset = position + firstInvalidByte(bytes);
    const byte = bytes[offset - position]!;
    throw new LmdError(
      'DATA_CORRUPT',
      `${path} is not valid UTF-8: byte ${offset} is 0x${byte.toString(16).padStart(2, '0').toUpperCase()}.`,
      {
        subject: path,
        value: offset,
        remedy: 'Convert it, for example with `iconv -f LATIN1 -t UTF-8`, or exclude the file.',
        cause,
      },
    );
  }
}

/** Offset of the first byte of the first sequence that the Unicode standard's table 3-7 does not allow. */
export function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at]!;
    const [count, low, high] = sequence(lead);
    if (count < 0) return at;
    for (let k = 1; k <= count; k++) {
      const byte = bytes[at + k];
      if (byte === undefined || byte < (k === 1 ? low : 0x80) || byte > (k === 1 ? high : 0xbf)) return at;
    }
    at += 1 + count;
  }
  return bytes.length;
}

/** How many bytes follow a lead byte, and the bounds of the first of them. */
function sequence(lead: number): readonly [count: number, low: number, high: number] {
  if (lead < 0x80) return [0, 0, 0];
  if (lead < 0xc2) return [-1, 0, 0];
  if (lead < 0xe0) return [1, 0x80, 0xbf];
  if (lead < 0xf0) return [2, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf];
  if (lead < 0xf5) return [3, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf];
  return [-1, 0, 0];
}
