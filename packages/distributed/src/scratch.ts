/**
 * Memory for the values of one tensor after another, which grows to the largest: a fresh page costs more time than the
 * copy into it.
 */
export class Scratch {
  #values = new Float32Array(0);

  of(length: number): Float32Array {
    if (this.#values.length < length) this.#values = new Float32Array(length);
    return this.#values.subarray(0, length);
  }

  /** Leaves the memory to whoever has it, for a backend that writes to it later. */
  leave(): void {
    this.#values = new Float32Array(0);
  }
}
