import { stop } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { entrySizes } from '../scripts/entry-sizes.mjs';
import { entryLimits } from '../scripts/install-limits.mjs';

// esbuild's service is a child process, which would keep the test worker from ending.
afterAll(() => stop());

describe('the entry points of the published packages, bundled and compressed', async () => {
  const sizes = await entrySizes();

  it.each([...sizes])('%s (%d kB) is within its limit', (specifier, kilobytes) => {
    expect(entryLimits[specifier], 'scripts/install-limits.mjs has no limit').toBeDefined();
    expect(kilobytes).toBeLessThanOrEqual(entryLimits[specifier]!);
  });

  it('have no limit without an entry point, and none that is far above the size', () => {
    expect(Object.keys(entryLimits).sort()).toEqual([...sizes.keys()].sort());
    const loose = [...sizes].filter(([specifier, kilobytes]) => entryLimits[specifier]! > 1.5 * kilobytes + 1);
    expect(loose).toEqual([]);
  });
});
