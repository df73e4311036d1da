import { readFileSync } from 'node:fs';
import { withoutByteOrderMark } from '@lmd/core';

/** Maximum nesting: more than in any file of this program, and far less than would overflow the stack. */
const deepest = 64;

/**
 * Parses a JSON file, which may begin with a byte order mark.
 *
 * @throws Error whose message completes `<path> cannot be read: …`, which the caller adds.
 */
export function parseJsonFile(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  const value: unknown = JSON.parse(withoutByteOrderMark(text));
  if (isDeeperThan(value, deepest)) throw new Error(`its values are nested more than ${deepest} levels deep`);
  return value;
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1));
}

/** The error message without the final full stop, for use within a sentence. */
export function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}
