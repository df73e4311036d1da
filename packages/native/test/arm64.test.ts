import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compileCheck, failureOf, findZig } from '../scripts/compile.mjs';
import { notTheSuite } from './suite.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-native-arm64-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

const emulator = ['qemu-aarch64'];
const native = process.arch === 'arm64' && process.platform === 'linux';

async function whyNot(): Promise<string | undefined> {
  if (notTheSuite !== undefined) return notTheSuite;
  if ((await findZig()) === undefined) return 'zig is not installed: pip install ziglang==0.17.1';
  if (native || (await failureOf(emulator, ['--version'])) === undefined) return undefined;
  return 'qemu-aarch64 is not installed: apt-get install qemu-user';
}
const missing = await whyNot();

if (missing !== undefined) it.skip(`the kernels of arm64: ${missing}`, () => {});
else {
  it('have the bits of plain C on arm64, with and without dot products of bytes', { timeout: 900_000 }, async () => {
    const program = join(folder, 'check');
    await compileCheck('linux-arm64-musl', { zig: (await findZig())! }, [], program);
    const runs = native
      ? [[program]]
      : [
          [...emulator, program],
          [...emulator, '-cpu', 'cortex-a53', program],
        ];
    for (const command of runs) expect(await failureOf(command, ['1', '150']), command.join(' ')).toBeUndefined();
  });
}
