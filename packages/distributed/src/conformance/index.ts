import { queueTests } from './queue-tests.js';
import { roundTests } from './round-tests.js';
import { memberTests, storeTests, topicTests } from './store-tests.js';
import type { TransportTest } from './test.js';

export type { TransportTest } from './test.js';

/**
 * What every transport must pass, ours or another's. They need no test framework: a test passes if its promise
 * resolves. Each takes a few hundred milliseconds at most, and none depends on how fast the machine is.
 *
 *     for (const { name, run } of transportTests) it(name, () => run(() => connectSomehow()));
 */
export const transportTests: readonly TransportTest[] = [
  ...roundTests,
  ...queueTests,
  ...storeTests,
  ...topicTests,
  ...memberTests,
];
