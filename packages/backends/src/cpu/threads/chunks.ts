import { firstChunk, takenWord } from './control.js';

/** A kernel: the part `from` to `to` of its range, then its other arguments. */
export type RangedKernel = (from: number, to: number, ...rest: number[]) => void;

/** A kernel over [0, total), in chunks of `grain`. */
export interface Job {
  readonly kernel: RangedKernel;
  readonly total: number;
  readonly grain: number;
  readonly chunks: number;
  /** The arguments of the kernel after its range. */
  readonly rest: Iterable<number>;
}

/**
 * Does chunks of a job until there are none that nobody has begun: a thread's own first, then those of the others.
 *
 * @param state the words of the control memory
 */
export function takeChunks(
  state: Int32Array,
  { kernel, total, grain, chunks, rest }: Job,
  self: number,
  threads: number,
): void {
  for (let i = 0; i < threads; i++) {
    const owner = (self + i) % threads;
    const first = firstChunk(owner, threads, chunks);
    const own = firstChunk(owner + 1, threads, chunks) - first;
    for (;;) {
      const next = Atomics.add(state, takenWord(owner), 1);
      if (next >= own) break;
      const from = (first + next) * grain;
      kernel(from, Math.min(total, from + grain), ...rest);
    }
  }
}
