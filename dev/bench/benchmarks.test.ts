import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { offerSoftwareWebgpu } from '../../vitest.webgpu.ts';

// Benchmarks take minutes and compare times, which a test must not. Here each runs with --quick: the smallest sizes,
// once, without peers.

const bench = fileURLToPath(new URL('.', import.meta.url));
offerSoftwareWebgpu();

function node(...args: string[]) {
  // As scripts/bench.mjs starts them.
  const options = { cwd: bench, encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 120_000 } as const;
  return spawnSync(process.execPath, ['--expose-gc', ...args], options);
}

/** Every program: a file that has options. */
const programs = readdirSync(bench, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'lib')
  .flatMap(({ name }) => readdirSync(join(bench, name)).map((file) => join(name, file)))
  .filter(
    (path) => path.endsWith('.mjs') && /(parseArgs|benchArguments)\(/.test(readFileSync(join(bench, path), 'utf8')),
  );

/** Those that write a page. */
const writing = programs.filter((path) =>
  /write: { type:|benchArguments\(/.test(readFileSync(join(bench, path), 'utf8')),
);

it('finds the benchmarks', () => {
  expect(programs.length).toBeGreaterThan(8);
  expect(writing.length).toBeGreaterThan(3);
});

describe.each(programs)('%s', (path) => {
  it('runs, and reports rows of one shape', (context) => {
    context.skip(process.env.LMD_NATIVE_SUITE === undefined, 'node scripts/native-tests.mjs in the root runs it');
    const { status, stdout, stderr } = node(path, '--quick', '--json');
    if (stderr.includes('ENGINE_MISSING'))
      context.skip('its engine is not installed; scripts/native-tests.mjs installs it');
    if (path.startsWith('cli') && process.platform !== 'linux') context.skip('it reads /proc, which only Linux has');
    expect(status, stderr).toBe(0);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    expect(rows.length).toBeGreaterThan(0);
    for (const { name, value, unit, peer, ratio, target, met } of rows) {
      expect(name).toMatch(/\S/);
      expect(value, `${name}`).toSatisfy(Number.isFinite);
      expect(unit, `${name}`).toBeTypeOf('string');
      // Without a peer there is nothing to divide by, and what is so short has no target.
      if (peer === null) expect(ratio, `${name}`).toBeNull();
      else {
        expect(peer, `${name}`).toMatch(/\S/);
        expect(ratio, `${name}`).toSatisfy((ratio: number) => ratio > 0);
      }
      expect([target, met], `${name}`).toEqual([null, null]);
    }
  });
});

it.each(writing)('%s writes no page from a quick run', (path) => {
  const { status, stderr } = node(path, '--quick', '--write');
  expect(status).not.toBe(0);
  expect(stderr).toContain('--quick cannot be combined with --write');
});
