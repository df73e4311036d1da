import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

/** Another version of zlib compresses a module to other bytes. */
const inflated = (text: string) =>
  text.replace(/'([\w+/=]{1000,})'/, (_, deflated) => inflateRawSync(Buffer.from(deflated, 'base64')).toString('hex'));

describe('the generated files', () => {
  it('are what the sources in assembly/ compile to', async () => {
    const { compile } = await import('../../../scripts/build-wasm.mjs');
    const files = await compile();
    expect(files).toHaveLength(3);
    for (const [path, text] of files)
      expect(inflated(await readFile(path, 'utf8')) === inflated(text), path).toBe(true);
  });
});
