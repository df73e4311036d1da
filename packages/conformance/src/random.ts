/**
 * The suite's own numbers: which shapes and values are tried. Kept apart from the Philox generator, which is under
 * test. Each test draws from (seed, its name), so that it can be replayed alone.
 */
export class Random {
  #state: number;

  constructor(seed: number, name: string) {
    let hash = seed >>> 0;
    for (const part of [String(Math.floor(seed / 2 ** 32)), name]) {
      for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193) >>> 0;
    }
    this.#state = hash;
  }

  /** Uniform in [0, 1), 32 bits (mulberry32 by Tommy Ettinger). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  uniform(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  sign(): 1 | -1 {
    return this.next() < 0.5 ? -1 : 1;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }

  /** A shape of the given rank, of about `size` elements at most; extents are often odd, and now and then 1. */
  shape(rank: number, size = 240): number[] {
    const limit = Math.max(2, Math.floor(size ** (1 / Math.max(rank, 1)) * 1.5));
    const shape: number[] = [];
    let room = size;
    for (let axis = 0; axis < rank; axis++) {
      const extent = this.next() < 0.15 ? 1 : this.integer(1, Math.max(1, Math.min(limit, room)));
      shape.push(extent);
      room = Math.floor(room / extent);
    }
    return this.shuffled(shape);
  }

  /** A key of the counter-based generator, with words that use all 32 bits. */
  key(): { seed: number; stream: number; step: number; sample: number } {
    const word = () => Math.floor(this.next() * 2 ** 32);
    return { seed: this.integer(0, 2 ** 21 - 1) * 2 ** 32 + word(), stream: word(), step: word(), sample: word() };
  }
}
