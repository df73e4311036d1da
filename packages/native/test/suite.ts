/**
 * Why tests that need more than Node and a binary do not run; undefined where `node scripts/native-tests.mjs` runs
 * them.
 */
export const notTheSuite =
  process.env.LMD_NATIVE_SUITE === undefined ? 'node scripts/native-tests.mjs in the root runs it' : undefined;

/** How many inputs a property is tried with: a fifth of `all`, unless the suite runs. */
export const runs = (all: number): number => (notTheSuite === undefined ? all : Math.ceil(all / 5));
