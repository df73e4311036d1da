import { describeValue, isLmdError, type LmdError } from '@lmd/core';
import type { Transport } from '../transport.js';

export interface TransportTest {
  readonly name: string;
  /**
   * Resolves if the transport passes.
   *
   * @param connect a transport of one more worker: new connections to one place, or one object for all. The test closes
   *   none of them.
   */
  run(connect: () => Promise<Transport>): Promise<void>;
}

let tests = 0;

/** A name that no other test has used on the same server. */
export function uniqueName(purpose: string): string {
  tests++;
  return `${purpose}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}-${tests}`;
}

export function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value, bytesAsArrays));
  check(a === b, `${what} is ${a}, expected ${b}.`);
}

const bytesAsArrays = (_: string, value: unknown) => (value instanceof Uint8Array ? [...value] : value);

/** The `LmdError` that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>, code: LmdError['code']): Promise<LmdError> {
  try {
    await promise;
  } catch (error) {
    if (isLmdError(error, code)) return error;
    throw new Error(`The error is ${describeValue(error)}, expected an LmdError ${code}.`, { cause: error });
  }
  throw new Error(`It did not throw; expected an LmdError ${code}.`);
}

/** Bytes that differ by `seed`, of any length. */
export function bytes(seed: number, length = 8): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.imul(index + 1, 2654435761 + 2 * seed) >>> 24);
}
