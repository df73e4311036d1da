import type { Measurement } from '../context.js';
import { addHistograms } from '../histogram.js';
import type { OperationErrors } from './messages.js';

/** The measurements of each operation together. */
export function errorsByOperation(
  measurements: readonly (Measurement | OperationErrors)[],
): readonly OperationErrors[] {
  const merged = new Map<string, OperationErrors>();
  for (const one of measurements) {
    const { operation, composed, bound, units, share, histogram } = one;
    const results = 'results' in one ? one.results : 1;
    const key = `${operation} ${composed} ${bound}`;
    const before = merged.get(key);
    merged.set(key, {
      operation,
      composed,
      bound,
      results: results + (before?.results ?? 0),
      units: Math.max(units, before?.units ?? 0),
      share: Math.max(share, before?.share ?? 0),
      histogram: before === undefined ? histogram : addHistograms(before.histogram, histogram),
    });
  }
  return [...merged.values()];
}
