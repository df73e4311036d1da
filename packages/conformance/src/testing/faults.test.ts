import { describe, expect, it } from 'vitest';
import { runConformance, testNames } from '../index.js';
import { blockCodeFaults } from './block-code-faults.js';
import { blockProductFaults } from './block-product-faults.js';
import { codedRowFaults } from './coded-row-faults.js';
import { broken, type Fault } from './fault.js';
import { kernelFaults } from './kernel-faults.js';
import { primitiveFaults } from './primitive-faults.js';

/**
 * All tests but those that take long and add no evidence: five of six formats, the longer training runs, the large
 * product (the reference backend has no tiles), and the codes of states, of operands and of rows, which are made of a
 * dozen primitives and fail with any.
 */
function worthRunning(fault: Fault, name: string): boolean {
  if (fault.caughtBy.includes(name)) return true;
  const isOfCodes = (test: string) => /(en|de)codeBlocks/.test(test);
  if (isOfCodes(name)) return fault.caughtBy.some(isOfCodes);
  const isOfProducts = (test: string) => test.startsWith('block products > ');
  if (isOfProducts(name)) return fault.caughtBy.some(isOfProducts) && /^block products > mxfp4_e2m1 [^·]/.test(name);
  if (name.startsWith('coded rows > ')) return false;
  if (name.startsWith('training > ')) return name.includes('loss and gradients') && fault.mayAlsoFail === undefined;
  if (name.startsWith('matmul > 257')) return false;
  // These fail with many faults; level-faults.test.ts covers them.
  if (/^(memory|faults) > /.test(name)) return false;
  return !name.startsWith('quantization > ') || name.startsWith('quantization > mxfp4_e2m1');
}

describe.each([...primitiveFaults, ...kernelFaults, ...blockCodeFaults, ...blockProductFaults, ...codedRowFaults])(
  'a backend in which $name',
  (fault) => {
    it('fails the tests that are about it, and no other', async () => {
      for (const name of fault.caughtBy) expect(testNames).toContain(name);
      const { passed, failed } = await runConformance({
        name: 'broken',
        create: () => broken(fault),
        // Fixed, since which of the tests in mayAlsoFail do fail is a matter of chance.
        seed: 1,
        filter: (name) => worthRunning(fault, name),
      });
      const names = failed.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining([...fault.caughtBy]));
      expect(names.filter((name) => !fault.caughtBy.includes(name) && !fault.mayAlsoFail?.test(name))).toEqual([]);
      if (fault.message !== undefined) {
        for (const { error } of failed) expect(String(error)).toMatch(fault.message);
      }
      // Not everything may fail, or nothing is told apart.
      expect(passed.length).toBeGreaterThan(20);
    });
  },
);
