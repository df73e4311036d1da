/**
 * The memory by which the threads of a backend agree on their work: 32-bit words, then the arguments of the kernel at
 * hand as float64 numbers. A job is a range that is cut into chunks; each thread begins with chunks of its own, and
 * takes from the others what they have not begun.
 */
export const words = {
  /** Counts jobs; threads without work wait for it to change. */
  generation: 0,
  /** 1 while there may be chunks to take. */
  open: 1,
  /** Workers that look at the job at hand: it must not change while there are any. */
  active: 2,
  /** Workers that wait for `generation`, and need to be woken. */
  asleep: 3,
  /** 1 while the calling thread waits for `active` to become 0. */
  awaited: 4,
  /** 1 once a kernel has failed in a worker. */
  failed: 5,
  /** Which kernel, and of its range: how long it is, and how long a chunk. */
  kernel: 6,
  count: 7,
  total: 8,
  grain: 9,
  chunks: 10,
  /** Size of the memory of the tensors in pages of 64 KiB when the job began. */
  pages: 11,
  /** How many chunks of each thread's own have been taken: a cache line for each thread. */
  taken: 16,
} as const;

const lineWords = 16;
const mostArguments = 32;

export interface Control {
  readonly words: Int32Array;
  readonly arguments: Float64Array;
  readonly buffer: ArrayBufferLike;
}

export function controlBytes(threads: number): number {
  return 4 * (words.taken + lineWords * threads) + 8 * mostArguments;
}

export function createControl(buffer: ArrayBufferLike, threads: number): Control {
  const count = words.taken + lineWords * threads;
  return {
    words: new Int32Array(buffer, 0, count),
    arguments: new Float64Array(buffer, 4 * count, mostArguments),
    buffer,
  };
}

/** Where a thread counts the chunks that were taken of its own. */
export function takenWord(thread: number): number {
  return words.taken + lineWords * thread;
}

/** The first chunk of a thread's own; that of the thread after the last is the number of chunks. */
export function firstChunk(thread: number, threads: number, chunks: number): number {
  return Math.floor((thread * chunks) / threads);
}
