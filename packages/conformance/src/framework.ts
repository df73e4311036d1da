/**
 * Functions of a test framework for the suite: vitest, jest, `node:test` and `bun:test` all have them. Of a framework
 * without `describe` and `it`, use `conformanceTests`.
 */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  /** `timeout` in milliseconds; a framework without the argument ignores it. */
  it(name: string, body: () => Promise<void>, timeout?: number): unknown;
  /** Default: comparisons of the suite's own, for frameworks such as `node:test` that have none. */
  readonly expect?: Expect;
}

/** `toBe` alone, which compares as `Object.is` does. */
export type Expect = (actual: unknown) => { toBe(expected: unknown): void };

/** The suite's own `expect`. */
export const ownExpect: Expect = (actual) => ({
  toBe(expected) {
    if (!Object.is(actual, expected)) throw new Error(`expected ${String(expected)}, got ${String(actual)}`);
  },
});
