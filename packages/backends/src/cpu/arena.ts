import { LmdError } from '@lmd/core';

/**
 * The part of the WebAssembly API that is used here: TypeScript declares it only together with the DOM
 * library.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** A run of bytes that is free. */
interface Gap {
  readonly start: number;
  readonly end: number;
}

const page = 65_536;
/** What the memory grows by at least: growing copies nothing, but detaches every view. */
const leastGrowth = 256 * page;
/** Blocks begin on a cache line. */
const alignment = 64;

/**
 * A size class: at most an eighth is lost to rounding, and few enough classes that a freed block soon fits again.
 *
 * @returns a multiple of `alignment`, at least `bytes`
 */
export function blockSize(bytes: number): number {
  if (bytes <= 8 * alignment) return Math.max(1, Math.ceil(bytes / alignment)) * alignment;
  const unit = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / unit) * unit;
}

/**
 * Hands out blocks of one WebAssembly memory. A freed block serves the next request of its size class, so that a
 * training step, which asks for the same sizes each time, takes nothing new after the first; the memory grows when
 * nothing fits, and free neighbours are joined only when it cannot grow.
 */
export class Arena {
  readonly #memory: WasmMemory;
  readonly #limit: number;
  readonly #start: number;
  /** First unused byte. */
  #top: number;
  #held = 0;
  readonly #free = new Map<number, number[]>();

  /**
   * @param start the first byte that may be handed out
   * @param limit the byte that it never grows beyond
   */
  constructor(memory: WasmMemory, start: number, limit: number) {
    this.#memory = memory;
    this.#start = Math.ceil(start / alignment) * alignment;
    this.#top = this.#start;
    this.#limit = limit;
  }

  /** Bytes of the blocks handed out now. */
  get held(): number {
    return this.#held;
  }

  /** Bytes of memory from which blocks are handed out, free ones included. */
  get reserved(): number {
    return this.#memory.buffer.byteLength - this.#start;
  }

  /** Bytes that were ever part of a block: what lies beyond them was never needed. */
  get used(): number {
    return this.#top - this.#start;
  }

  /**
   * The address of a block for `bytes`, with undefined contents. Throws an `LmdError` `BACKEND_FAILURE` where there is
   * none; nothing is lost then.
   */
  allocate(bytes: number): number {
    const size = blockSize(bytes);
    const start = this.#take(size) ?? this.#extend(size) ?? this.#join(size);
    if (start === undefined) throw this.#full(bytes);
    this.#held += size;
    return start;
  }

  /** Takes back the block that `allocate(bytes)` gave. */
  release(start: number, bytes: number): void {
    const size = blockSize(bytes);
    this.#held -= size;
    this.#keep({ start, end: start + size });
  }

  #keep({ start, end }: Gap): void {
    const size = end - start;
    const same = this.#free.get(size);
    if (same === undefined) this.#free.set(size, [start]);
    else same.push(start);
  }

  #take(size: number): number | undefined {
    return this.#free.get(size)?.pop();
  }

  #extend(size: number): number | undefined {
    const start = this.#top;
    const end = start + size;
    if (end > this.#limit) return undefined;
    // Kernels may read, not write, up to three values beyond the end of a block.
    const missing = end + alignment - this.#memory.buffer.byteLength;
    if (missing > 0) {
      const least = Math.ceil(missing / page);
      const room = Math.floor((this.#limit - this.#memory.buffer.byteLength) / page);
      const wished = Math.max(least, Math.ceil(Math.max(leastGrowth, this.#memory.buffer.byteLength / 4) / page));
      if (!this.#grow(Math.min(wished, Math.max(least, room))) && !this.#grow(least)) return undefined;
    }
    this.#top = end;
    return start;
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(pages);
      return true;
    } catch {
      // A RangeError: the system or the engine lacks the memory. The caller tries a smaller amount, then throws.
      return false;
    }
  }

  /** Joins free neighbours, cuts `size` from the first gap that is long enough, and returns the rest to the lists. */
  #join(size: number): number | undefined {
    const gaps: Gap[] = [];
    for (const [length, starts] of this.#free) for (const start of starts) gaps.push({ start, end: start + length });
    gaps.sort((a, b) => a.start - b.start);
    this.#free.clear();
    const joined: Gap[] = [];
    for (const gap of gaps) {
      const last = joined.at(-1);
      if (last?.end === gap.start) joined[joined.length - 1] = { start: last.start, end: gap.end };
      else joined.push(gap);
    }
    const last = joined.at(-1);
    if (last?.end === this.#top) {
      this.#top = last.start;
      joined.pop();
    }
    const fitting = joined.findIndex(({ start, end }) => end - start >= size);
    let found: number | undefined;
    joined.forEach((gap, i) => {
      if (i === fitting) {
        found = gap.start;
        if (gap.end > gap.start + size) this.#keep({ start: gap.start + size, end: gap.end });
      } else this.#keep(gap);
    });
    return found ?? this.#extend(size);
  }

  #full(bytes: number): LmdError {
    const [asked, held, limit] = [bytes, this.#held, this.#limit - this.#start].map((n) => n.toLocaleString('en'));
    return new LmdError(
      'BACKEND_FAILURE',
      `The cpu backend is out of memory: ${asked} bytes were asked for, ${held} are held, and there is room for ${limit}.`,
      {
        subject: 'memory',
        value: { asked: bytes, held: this.#held, limit: this.#limit - this.#start },
        remedy: 'Free tensors, or use a smaller batch or model: WebAssembly memory ends at 4 GiB.',
      },
    );
  }
}
