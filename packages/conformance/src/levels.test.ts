import { createReferenceBackend } from '@lmd/backends/reference';
import { expect, it } from 'vitest';
import { binTitles, conformanceLevelNames, conformanceLevels, conformanceTests, testNames } from './index.js';

it('every test is in exactly one level', () => {
  expect(conformanceLevels.map(({ name }) => name)).toEqual(conformanceLevelNames);
  const listed = conformanceLevels.flatMap(({ tests }) => tests);
  expect([...listed].sort()).toEqual([...testNames].sort());
  for (const { tests } of conformanceLevels) expect(tests.length).toBeGreaterThan(2);
});

it('bins of errors have titles', () => {
  expect(binTitles).toEqual(['0', '≤ 0.5', '≤ 1', '≤ 2', '≤ 4', '≤ 8', '≤ 16', '≤ 32', '≤ 64', '> 64']);
});

it('conformanceTests gives every test to a runner without describe and it', async () => {
  const tests = conformanceTests({ name: 'reference', create: () => createReferenceBackend() });
  expect(tests.map(({ name }) => name)).toEqual(['start > creates', ...testNames, 'end > closes']);
  for (const { name, run } of tests) {
    if (/^(start|handles|memory|faults|end) > /.test(name)) await run();
  }
});
