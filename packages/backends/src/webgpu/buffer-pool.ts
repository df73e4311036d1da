import type { GpuBuffer } from './gpu-types.js';

/** A buffer of the device, and what is known of it. */
export interface PooledBuffer {
  readonly id: number;
  readonly gpu: GpuBuffer;
  readonly size: number;
  /** The last batch of commands that uses it. */
  batch: number;
}

/**
 * Buffers that are free to be used again, by size. Sizes are rounded up to eight classes a doubling, so that at most an
 * eighth is lost and equal training steps reuse equal buffers.
 */
export class BufferPool {
  readonly #create: (bytes: number) => GpuBuffer;
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #largest: number;
  #freeBytes = 0;
  #heldBytes = 0;
  #mostHeld = 0;
  #condemned: PooledBuffer[] = [];
  #next = 0;

  /** @param largest bytes of the largest buffer */
  constructor(create: (bytes: number) => GpuBuffer, largest: number) {
    this.#create = create;
    this.#largest = largest;
  }

  /** Bytes of buffers in use or kept for reuse. */
  get bytes(): number {
    return this.#freeBytes + this.#heldBytes;
  }

  /** What a request for `bytes` really takes. */
  classOf(bytes: number): number {
    const least = Math.max(256, Math.ceil(bytes / 4) * 4);
    const step = Math.max(256, 2 ** (Math.floor(Math.log2(least)) - 3));
    return Math.min(this.#largest, Math.ceil(least / step) * step);
  }

  take(bytes: number): PooledBuffer {
    const size = this.classOf(bytes);
    const found = this.#free.get(size)?.pop();
    if (found !== undefined) this.#freeBytes -= size;
    const buffer = found ?? { id: this.#next++, gpu: this.#create(size), size, batch: -1 };
    this.#heldBytes += size;
    this.#mostHeld = Math.max(this.#mostHeld, this.#heldBytes);
    return buffer;
  }

  give(buffer: PooledBuffer): void {
    this.#heldBytes -= buffer.size;
    // Keeps at most the peak of bytes in use.
    if (this.#freeBytes + this.#heldBytes + buffer.size > this.#mostHeld) {
      this.#condemned.push(buffer);
      return;
    }
    const list = this.#free.get(buffer.size);
    if (list === undefined) this.#free.set(buffer.size, [buffer]);
    else list.push(buffer);
    this.#freeBytes += buffer.size;
  }

  /** Destroys what is not worth keeping, and says how many. Only when no command that uses it waits to be submitted. */
  sweep(): number {
    const count = this.#condemned.length;
    for (const buffer of this.#condemned) buffer.gpu.destroy();
    this.#condemned = [];
    return count;
  }

  /** Destroys every free buffer. */
  clear(): void {
    this.sweep();
    for (const list of this.#free.values()) for (const buffer of list) buffer.gpu.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
