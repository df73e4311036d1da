import { createReferenceBackend } from '@lmd/backends/reference';
import { expect, it } from 'vitest';
import {
  binTitles,
  conformanceLevelNames,
  conformanceLevels,
  conformanceTests,
  runConformance,
  testNames,
} from './index.js';

it('every test is in exactly one level', () => {
  expect(conformanceLevels.map(({ name }) => name)).toEqual(conformanceLevelNames);
  const listed = conformanceLevels.flatMap(({ tests }) => tests);
  expect([...listed].sort()).toEqual([...testNames].sort());
  for (const { tests } of conformanceLevels) expect(tests.length).toBeGreaterThan(2);
});

it('levels selects the tests of some, in every way to run them', async () => {
  const options = { name: 'reference', create: () => createReferenceBackend(), levels: ['memory', 'faults'] as const };
  const chosen = conformanceLevels.slice(-2).flatMap(({ tests }) => tests);
  expect(conformanceTests(options).map(({ name }) => name)).toEqual(['start > creates', ...chosen, 'end > closes']);
  const { passed, failed } = await runConformance(options);
  expect([passed, failed]).toEqual([[...chosen, 'end > closes'], []]);
  const wrong = { ...options, levels: ['first' as 'memory'] };
  expect(() => conformanceTests(wrong)).toThrow(/levels is \["first"\]\. .*a list of levels: operations, gradients/);
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
