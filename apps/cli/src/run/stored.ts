import { LmdError } from '@lmd/core';
import type { z } from 'zod';
import { parseJsonFile, reasonOf } from '../configuration/json-file.js';

/**
 * Reads a file that this program wrote, and validates it, since it may have been changed or damaged.
 *
 * @param remedy what to do if it is damaged.
 * @throws LmdError `DATA_CORRUPT`, naming the file and its first invalid value.
 */
export function readStored<T>(path: string, schema: z.ZodType<T>, remedy: string): T {
  const damaged = (problem: string, cause?: unknown) =>
    new LmdError('DATA_CORRUPT', `${path} is damaged: ${problem}.`, { subject: path, remedy, cause });
  let value: unknown;
  try {
    value = parseJsonFile(path);
  } catch (cause) {
    throw damaged(reasonOf(cause), cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path: place, message } = result.error.issues[0]!;
  throw damaged(`${place.length === 0 ? 'the file' : place.map(String).join('.')}: ${message}`);
}
