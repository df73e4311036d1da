/** Functions of a test framework for the suite: vitest, jest and `node:test` beside an `expect` all have it. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown;
  /** `timeout` in milliseconds; a framework without the argument ignores it. */
  it(name: string, body: () => Promise<void>, timeout?: number): unknown;
  expect: Expect;
}

/** `toBe` alone, which compares as `Object.is` does. */
export type Expect = (actual: unknown) => { toBe(expected: unknown): void };
