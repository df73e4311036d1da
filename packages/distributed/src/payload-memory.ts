import { sharedBytes } from './shared-bytes.js';

/**
 * Memory of payloads, in which later rounds are written: a fresh page costs more time than the copy into it. Each
 * transport has its own.
 */
export class PayloadMemory {
  readonly #free = new Map<number, Uint8Array[]>();

  /** Memory with any contents. */
  take(length: number): Uint8Array {
    return this.#free.get(length)?.pop() ?? sharedBytes(length);
  }

  copyOf(payload: Uint8Array): Uint8Array {
    const copy = this.take(payload.length);
    copy.set(payload);
    return copy;
  }

  giveBack(memory: Uint8Array): void {
    const free = this.#free.get(memory.length) ?? [];
    if (free.length >= mostFree) return;
    free.push(memory);
    this.#free.set(memory.length, free);
  }
}

/** Pieces of memory of one length that wait for a round. */
const mostFree = 64;
