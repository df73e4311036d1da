/** Why tests that need more than Node and a binary do not run; undefined where `node scripts/native-tests.mjs` runs them. */
export const notTheSuite =
  process.env.LMD_NATIVE_SUITE === undefined ? 'node scripts/native-tests.mjs in the root runs it' : undefined;
