import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A program that makes the backend with the options it is given, and says what came of a few operations. */
const program = `
import { createCpuBackend } from './src/cpu/index.ts';
import { createOperations, isLmdError } from '@lmd/core';
try {
  const backend = await createCpuBackend(JSON.parse(process.argv[2]));
  const ops = createOperations(backend);
  const [sum] = await ops.read(ops.sum(ops.full([300, 300], 2)));
  const [product] = await ops.read(ops.matmul(ops.full([300, 300], 1), ops.full([300, 300], 1)));
  console.log(JSON.stringify({ sum, product, device: backend.device }));
  backend.close();
} catch (error) {
  if (!isLmdError(error)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
`;

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
const source = (name: string) => fileURLToPath(new URL(`../../../${name}/src/index.ts`, import.meta.url));
let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lmd-constrained-'));
  await build({
    stdin: { contents: program, resolveDir: packageFolder, loader: 'ts' },
    outfile: join(folder, 'program.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    alias: { '@lmd/core': source('core'), '@lmd/mx-formats': source('mx-formats') },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** What the program says, run by this Node with some flags, and by a shell command before it. */
function run(options: object, flags: readonly string[] = [], before = ''): Record<string, unknown> {
  const words = [process.execPath, ...flags, join(folder, 'program.mjs'), JSON.stringify(options)];
  const { stdout, stderr } =
    before === ''
      ? spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' })
      : spawnSync('/bin/sh', ['-c', `${before}; exec "$@"`, 'sh', ...words], { encoding: 'utf8' });
  const line = stdout.trim().split('\n').at(-1);
  if (line === undefined || line === '') throw new Error(stderr);
  return JSON.parse(line) as Record<string, unknown>;
}

const right = { sum: 180_000, product: 300 };

if (process.platform !== 'linux') {
  it.skip(`limits of the address space: ulimit -v works on Linux, and this is ${process.platform}`, () => {});
} else {
  describe('in a limited address space', () => {
    // From Node 24, V8 does without the addresses that it does not get.
    const reserves = Number.parseInt(process.versions.node, 10) < 24;

    it.each(reserves ? [1, 2] : [1])('names what is missing, or does without: %i threads', (threads) => {
      const { code, message, ...answer } = run({ threads }, [], 'ulimit -v 8000000');
      if (!reserves) {
        expect(answer).toMatchObject(right);
        return;
      }
      expect(code).toBe('BACKEND_FAILURE');
      expect(message).toMatch(/could not allocate WebAssembly memory: .*ulimit -v.*node --disable-wasm-trap-handler/);
    });

    it('works without the trap handler', () => {
      expect(run({ threads: 1 }, ['--disable-wasm-trap-handler'], 'ulimit -v 3000000')).toMatchObject(right);
    });
  });
}

describe('under the permission model of Node', () => {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const flags = [flag, '--allow-fs-read=*'];

  it('computes with one thread where it may not start workers', () => {
    const answer = run({}, flags);
    expect(answer).toMatchObject(right);
    expect(answer.device).toMatch(/one thread$/);
  });

  it('refuses more threads by name', () => {
    const { code, message } = run({ threads: 2 }, flags);
    expect([code, message]).toEqual([
      'UNSUPPORTED',
      expect.stringMatching(/cannot run 2 threads here.*--allow-worker/),
    ]);
  });

  it('computes with several threads where it may', () => {
    const answer = run({ threads: 2, parallelThreshold: 0 }, [...flags, '--allow-worker']);
    expect(answer).toMatchObject(right);
    expect(answer.device).toMatch(/2 threads$/);
  });
});
