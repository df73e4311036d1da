import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

describe('the generated files', () => {
  it('are what the sources in assembly/ compile to', async () => {
    const { compile } = await import('../../../scripts/build-wasm.mjs');
    const files = await compile();
    expect(files).toHaveLength(3);
    for (const [path, text] of files) expect((await readFile(path, 'utf8')) === text, path).toBe(true);
  });
});
