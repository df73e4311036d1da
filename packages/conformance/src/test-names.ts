import { caseGroups } from './cases/index.js';

/** The format of the first training runs in the documentation. */
const quickFormat = 'mxfp6_e3m2';

/** The full names, `group > name`, of all tests: what `expectedFailures` may list. */
export const testNames: readonly string[] = caseGroups.flatMap((group) =>
  group.cases.map((one) => `${group.name} > ${one.name}`),
);

/**
 * The quick level, which takes seconds on a backend in plain loops: everything but the exact products of blocks, and of
 * quantization one format in place of all.
 */
export const quickTestNames: readonly string[] = testNames.filter((name) => {
  const [group] = name.split(' > ');
  return group === 'quantization' ? name.includes(quickFormat) : group !== 'block products';
});
