/** How work may be cut up. */
export interface Split {
  /** How long the range is. */
  readonly total: number;
  /** Chunks begin at multiples of this. Default 1. */
  readonly unit?: number;
  /** About how many nanoseconds one thread takes for one of the range. */
  readonly cost: number;
}

/** Microseconds below which waking other threads costs more than they save. */
export const defaultThreshold = 20;
/** A chunk takes at least this share of the threshold, so that taking it costs nothing beside it. */
const leastShare = 1 / 5;
/** Chunks for each thread: enough that no thread waits long for the last one. */
const chunksEach = 4;

/** How much of the range a chunk is; the whole where other threads do not pay. */
export function grainOf({ total, unit = 1, cost }: Split, threads: number, threshold: number): number {
  const shares = (total * cost) / (1000 * threshold);
  // Written so that 0 / 0, of no work with no threshold, stays on one thread.
  if (threads === 1 || !(shares >= 1)) return total;
  const chunks = Math.min(threads * chunksEach, Math.floor(shares / leastShare));
  return Math.ceil(total / chunks / unit) * unit;
}
