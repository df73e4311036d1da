import { readFile } from 'node:fs/promises';
import { parseForeignJson } from '@lmd/core';
import { withFileErrors } from '@lmd/training/node';

/** Reads a JSON file of another library or program. Throws an `LmdError` that names it. */
export async function readJson(path: string): Promise<unknown> {
  return parseForeignJson(await withFileErrors('read', path, () => readFile(path, 'utf8')), path);
}
