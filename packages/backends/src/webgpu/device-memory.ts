import { LmdError } from '@lmd/core';
import { BufferPool } from './buffer-pool.js';
import { type GpuDevice, usage } from './gpu-types.js';
import type { Storage } from './storage.js';

/** Storage of tensors on a device, in buffers that are used again, within a limit. */
export class DeviceMemory {
  /** Bytes of one buffer of a tensor; larger tensors have several. */
  readonly pageBytes: number;
  readonly pool: BufferPool;
  readonly #limit: number;
  readonly #makeRoom: () => void;
  #pledged = 0;

  /** @param makeRoom hands over all commands, and forgets free buffers */
  constructor(device: GpuDevice, pageBytes: number, limit: number, makeRoom: () => void) {
    this.pageBytes = pageBytes;
    const flags = usage.storage | usage.copySource | usage.copyTarget;
    this.pool = new BufferPool((size) => device.createBuffer({ size, usage: flags }), pageBytes);
    this.#limit = limit;
    this.#makeRoom = makeRoom;
  }

  /** Storage with undefined contents. */
  allocate(bytes: number): Storage {
    const sizes: number[] = [];
    for (let left = bytes; left > 0 || sizes.length === 0; left -= this.pageBytes) {
      sizes.push(Math.min(left, this.pageBytes));
    }
    this.#require(
      bytes,
      sizes.reduce((sum, size) => sum + this.pool.classOf(size), 0),
    );
    return { pages: sizes.map((size) => this.pool.take(size)), bytes, offset: 0 };
  }

  release(storage: Storage): void {
    for (const page of storage.pages) this.pool.give(page);
  }

  /** The single page `index` of a storage, as a storage of its own. */
  page(storage: Storage, index: number): Storage {
    const page = storage.pages[index]!;
    return { pages: [page], bytes: Math.min(this.pageBytes, storage.bytes - index * this.pageBytes), offset: 0 };
  }

  /**
   * Keeps room for `bytes` that will be allocated later: what does not fit is refused now. Gives the bytes that
   * `redeem` takes back.
   */
  pledge(bytes: number): number {
    // Buffers come in classes, an eighth apart.
    const most = Math.ceil(bytes * 1.125) + 256;
    this.#require(bytes, most);
    this.#pledged += most;
    return most;
  }

  redeem(pledged: number): void {
    this.#pledged -= pledged;
  }

  #require(bytes: number, taken: number): void {
    if (this.pool.bytes + this.#pledged + taken <= this.#limit) return;
    // Frees buffers kept for reuse first.
    this.#makeRoom();
    const used = this.pool.bytes + this.#pledged;
    if (used + bytes <= this.#limit) return;
    throw new LmdError(
      'BACKEND_FAILURE',
      `Out of memory: ${bytes} more bytes do not fit, ${used} of ${this.#limit} are in use.`,
      {
        subject: 'memoryLimit',
        value: bytes,
        remedy: 'Use a smaller batch or model, or a larger memoryLimit.',
      },
    );
  }
}
