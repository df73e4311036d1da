import type { PooledBuffer } from './buffer-pool.js';

/** Where the words of a tensor are: in buffers of its own, all of one length but the last, or in a part of a buffer. */
export interface Storage {
  readonly pages: readonly PooledBuffer[];
  readonly bytes: number;
  /** Bytes before the first word: a multiple of 256, and 0 but for a part of a buffer. */
  readonly offset: number;
}
