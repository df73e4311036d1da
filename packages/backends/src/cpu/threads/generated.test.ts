import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bundleWorker, generatedFile } from '../../../scripts/build-worker.mjs';

describe('worker.generated.ts', () => {
  it('is what worker.ts is bundled to', async () => {
    expect(await readFile(generatedFile, 'utf8')).toBe(await bundleWorker());
  });
});
