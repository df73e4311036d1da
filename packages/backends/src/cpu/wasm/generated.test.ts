import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

describe('module.generated.ts', () => {
  it('is what the sources in assembly/ compile to', async () => {
    const { compile, generatedFile } = await import('../../../scripts/build-wasm.mjs');
    expect((await readFile(generatedFile, 'utf8')) === (await compile())).toBe(true);
  });
});
