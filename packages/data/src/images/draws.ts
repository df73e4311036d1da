import { fillRandomBits, streamOf } from '@lmd/core';

/**
 * The random numbers of one augmentation for one image: a function of (seed, epoch, index), from the counters of
 * Philox, so that a run resumes bit-identically. Each augmentation has its own stream, so that enabling one does not
 * change the others.
 */
export class Draws {
  readonly #bits = new Uint32Array(4);
  readonly #stream: number;
  #next = 0;

  constructor(
    augmentation: string,
    readonly seed: number,
    readonly epoch: number,
    readonly index: number,
  ) {
    this.#stream = streamOf(`augmentation/${augmentation}`);
  }

  /** Uniform in [0, 1), with 24 bits. */
  uniform(): number {
    if (this.#next % 4 === 0) {
      const key = { seed: this.seed, stream: this.#stream, step: this.epoch, sample: this.index };
      fillRandomBits(this.#bits, key, this.#next / 4);
    }
    return (this.#bits[this.#next++ % 4]! >>> 8) * 2 ** -24;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal, by Box–Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * A sample of Beta(alpha, alpha): X / (X + Y) of two gamma variables, in logarithms, since they underflow for a small
   * alpha.
   */
  beta(alpha: number): number {
    const difference = this.#logGamma(alpha) - this.#logGamma(alpha);
    return 1 / (1 + Math.exp(-difference));
  }

  /**
   * Logarithm of a sample of Gamma(alpha, 1): Marsaglia & Tsang, "A simple method for generating gamma variables"
   * (2000), at alpha + 1.
   */
  #logGamma(alpha: number): number {
    const d = alpha + 1 - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    const boost = Math.log(1 - this.uniform()) / alpha;
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d * (1 - v + Math.log(v))) {
        return Math.log(d * v) + boost;
      }
    }
  }
}
