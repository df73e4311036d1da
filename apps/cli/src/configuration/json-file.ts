import { readFileSync } from 'node:fs';
import { withoutByteOrderMark } from '@lmd/core';

/** Deeper than anything that this program writes; far less than what overflows a stack. */
const deepest = 64;

/**
 * The value in a JSON file, which may begin with a byte order mark.
 *
 * @throws Error whose message completes `<path> cannot be read: …`, for whoever knows what the file is to say it.
 */
export function parseJsonFile(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  const value: unknown = JSON.parse(withoutByteOrderMark(text));
  if (isDeeperThan(value, deepest)) throw new Error(`its values are nested more than ${deepest} deep`);
  return value;
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

/** What went wrong, without a full stop at its end: a sentence goes on behind it. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
