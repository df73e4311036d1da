import type { EagerOperations, Tensor } from '@lmd/core';

/**
 * Reference counts on the tensors that gradients still need. A tensor has up to two owners: the user (in practice the
 * scope that created it) and the tape. The last owner frees it.
 */
export interface SavedTensors {
  save(x: Tensor): void;
  /** Decrements the count of gradients that need `x`. Frees it if it was the last and the user has released it. */
  release(x: Tensor): void;
  /** True while a gradient needs `x`. */
  holds(x: Tensor): boolean;
  /** The user releases a saved tensor, which from now on only the tape owns, outside all scopes. */
  takeOver(x: Tensor): void;
  /** True for a tensor that the user has released and the tape still holds. */
  owns(x: Tensor): boolean;
}

export function createSavedTensors(ops: EagerOperations): SavedTensors {
  const counts = new Map<Tensor, number>();
  const owned = new Set<Tensor>();
  return {
    save: (x) => void counts.set(x, (counts.get(x) ?? 0) + 1),
    release(x) {
      const count = counts.get(x) ?? 0;
      if (count > 1) {
        counts.set(x, count - 1);
        return;
      }
      counts.delete(x);
      if (owned.delete(x)) ops.dispose(x);
    },
    holds: (x) => counts.has(x),
    takeOver(x) {
      owned.add(ops.keep(x));
    },
    owns: (x) => owned.has(x),
  };
}
