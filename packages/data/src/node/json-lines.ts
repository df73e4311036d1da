import { LmdError } from '@lmd/core';
import { readUtf8Sync } from './utf8.js';

/**
 * The texts of a JSON Lines file: one field of the object on each line. Empty lines are ignored.
 *
 * @throws LmdError `DATA_CORRUPT` naming the line; `FILE_SYSTEM`.
 */
export function readJsonLines(path: string, field: string, prefix = ''): string[] {
  const texts: string[] = [];
  const lines = readUtf8Sync(path).split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== '') texts.push(textOf(path, index + 1, line, field, prefix));
  }
  return texts;
}

function textOf(path: string, line: number, json: string, field: string, prefix: string): string {
  const refuse = (problem: string, remedy: string, cause?: unknown) =>
    new LmdError('DATA_CORRUPT', `${path}, line ${line}: ${problem}.`, {
      subject: path,
      value: line,
      remedy,
      ...(cause === undefined ? {} : { cause }),
    });
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch (cause) {
    throw refuse('it is not valid JSON', 'Each line is one JSON object.', cause);
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw refuse('it is not a JSON object', `Each line is an object such as {"${field}": "…"}.`);
  }
  const keys = Object.keys(record);
  const found = keys.length === 0 ? 'none' : keys.join(', ');
  if (!Object.hasOwn(record, field)) {
    throw refuse(`it has no field ${field} (fields: ${found})`, `Name the field of the text with ${prefix}field.`);
  }
  const text = (record as Record<string, unknown>)[field];
  if (typeof text === 'string') return text;
  throw refuse(`the field ${field} is not a string`, `Name the field of the text with ${prefix}field.`);
}
