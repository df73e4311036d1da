import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { levels, loadNative, NativeError } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-native-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

describe('loadNative', () => {
  it('gives kernels, or says why there are none', () => {
    const { native, reason } = loadNative();
    if (native === undefined) expect(reason).toMatch(/is not installed|does not load|Node 20\.16/);
    else expect(levels).toContain(native.level);
  });

  it('says why a binary does not work, and throws nothing', () => {
    const missing = join(folder, 'missing.node');
    expect(loadNative({ binary: missing }).reason).toContain(missing);
    const broken = join(folder, 'broken.node');
    writeFileSync(broken, 'This is no library.');
    expect(loadNative({ binary: broken }).reason).toContain(`${broken} does not work here`);
    const other = join(folder, 'other.cjs');
    writeFileSync(other, "exports.open = () => ({ level: 'avx2', matmul() {} });");
    expect(loadNative({ binary: other }).reason).toContain('19 22 43 50');
  });

  it('says that a processor lacks a level', () => {
    if (loadNative().native === undefined) return;
    const foreign = process.arch === 'x64' ? 'neon' : 'avx2';
    expect(loadNative({ level: foreign }).reason).toContain(foreign);
  });

  it.each([
    [{ levels: 'avx2' }, 'UNKNOWN_OPTION', '"levels"'],
    [{ level: 'sse' }, 'INVALID_ARGUMENT', 'avx2-vnni, avx2, neon-dot, neon, scalar'],
    [{ arithmetic: 'exact' }, 'INVALID_ARGUMENT', "'fused' or 'strict'"],
    [{ binary: '' }, 'INVALID_ARGUMENT', 'path of a file'],
  ])('refuses %j', (options, code, text) => {
    const load = () => loadNative(options as never);
    expect(load).toThrow(NativeError);
    expect(load).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) }));
  });
});
