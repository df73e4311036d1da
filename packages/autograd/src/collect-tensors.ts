import type { Tensor } from '@lmd/core';
import { isTensor } from './node.js';

/**
 * Adds the tensors found in a value, as `scope` finds them: the value itself, or nested in arrays and plain records.
 */
export function collectTensors(value: unknown, found: Set<Tensor>, seen = new Set<object>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  if (isTensor(value)) {
    found.add(value);
    return;
  }
  if (!Array.isArray(value) && !isPlainRecord(value)) return;
  seen.add(value);
  for (const item of Object.values(value)) collectTensors(item, found, seen);
}

function isPlainRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
