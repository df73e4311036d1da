import fc from 'fast-check';

/**
 * The set-up of test files with properties: each run tries the same examples, so a change passes or fails by itself
 * alone. `LMD_PROPERTY_SEED=random` tries others, and a number those of a failure that was reported.
 */
const { LMD_PROPERTY_SEED: seed = '20' } = process.env;
fc.configureGlobal(seed === 'random' ? {} : { seed: Number(seed) });
