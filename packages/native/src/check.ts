import { NativeError } from './errors.js';

/** Sizes and strides stay below it, so that products of two are exact. */
const mostElements = 2 ** 31;

/**
 * Refuses the arguments of a kernel that do not fit a memory of some bytes.
 *
 * @throws NativeError `INVALID_ARGUMENT`
 */
export class Check {
  readonly #kernel: string;
  readonly #bytes: number;

  constructor(kernel: string, bytes: number) {
    this.#kernel = kernel;
    this.#bytes = bytes;
  }

  sizes(sizes: Readonly<Record<string, number>>, least: number): void {
    for (const subject in sizes) {
      const value = sizes[subject]!;
      if (Number.isInteger(value) && value >= least && value <= mostElements) continue;
      throw this.#error(
        `${subject} is ${value}`,
        subject,
        value,
        `Use a whole number from ${least} to ${mostElements}.`,
      );
    }
  }

  equal(subject: string, value: number, wanted: number): void {
    if (value !== wanted) throw this.#error(`${subject} is ${value}`, subject, value, `Use ${wanted}.`);
  }

  operand(subject: string, address: number, elements: number, bytesEach: number): void {
    const end = address + bytesEach * elements;
    if (Number.isInteger(address) && address >= 0 && address % bytesEach === 0 && end <= this.#bytes) return;
    throw this.#error(
      `${subject} has ${elements} elements at byte ${address} of a memory of ${this.#bytes} bytes`,
      subject,
      address,
      `Use a multiple of ${bytesEach}, so that it ends within the memory.`,
    );
  }

  /** One of `count` numbers from 0 on. */
  choice(subject: string, value: number, count: number): void {
    if (Number.isInteger(value) && value >= 0 && value < count) return;
    throw this.#error(`${subject} is ${value}`, subject, value, `Use a whole number from 0 to ${count - 1}.`);
  }

  /** 32 bits, as a number with a sign or without. */
  words(words: Readonly<Record<string, number>>): void {
    for (const subject in words) {
      const value = words[subject]!;
      if (Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) continue;
      throw this.#error(`${subject} is ${value}`, subject, value, 'Use a whole number of 32 bits.');
    }
  }

  /** Operands of f32 or i32. */
  floats(operands: Readonly<Record<string, number>>, elements: number): void {
    for (const subject in operands) this.operand(subject, operands[subject]!, elements, 4);
  }

  #error(problem: string, subject: string, value: unknown, remedy: string): NativeError {
    return new NativeError('INVALID_ARGUMENT', `${this.#kernel}: ${problem}.`, { subject, value, remedy });
  }
}
