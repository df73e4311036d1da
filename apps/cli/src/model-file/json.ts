import { readFile } from 'node:fs/promises';
import { LmdError } from '@lmd/core';
import { withFileErrors } from '@lmd/training/node';

/** Parses the JSON of a file. Throws an `LmdError` `DATA_CORRUPT` that names what is truncated or damaged. */
export function parseJson(text: string, what: string): unknown {
  try {
    // Some editors write a byte-order mark, which JSON does not allow.
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LmdError('DATA_CORRUPT', `${what} is not valid JSON: ${reason}.`, {
      subject: what,
      remedy: 'Download or write it again.',
      cause,
    });
  }
}

/** Reads a JSON file. Throws an `LmdError` that names it. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await withFileErrors('read', path, () => readFile(path, 'utf8')), path);
}
