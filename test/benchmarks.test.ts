import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { offerSoftwareWebgpu } from '../vitest.webgpu.ts';
import { pages, root } from './documentation.js';

// Benchmarks take minutes and compare times, which a test must not. Here each runs with --quick: the smallest sizes,
// once, without peers.

const bench = (name: string) => join('dev', 'bench', name);

function node(cwd: string, ...args: string[]) {
  // As scripts/bench.mjs starts them.
  const options = { cwd: join(root, cwd), encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 120_000 } as const;
  return spawnSync(process.execPath, ['--expose-gc', ...args], options);
}

offerSoftwareWebgpu();
function withoutWebgpu(): string | undefined {
  const probe = "import { create } from 'webgpu'; process.exit((await create([]).requestAdapter()) === null ? 3 : 0)";
  const { status } = node('dev', '--input-type=module', '--eval', probe);
  return status === 0 ? undefined : 'Dawn finds no adapter here; a Chromium brings one in software';
}
function withoutOnnxruntime(): string | undefined {
  try {
    createRequire(join(root, bench('backends'), 'onnxruntime.mjs')).resolve(
      process.env.LMD_ONNXRUNTIME ?? 'onnxruntime-node',
    );
    return undefined;
  } catch {
    return 'onnxruntime-node is not installed, and LMD_ONNXRUNTIME names none; node scripts/native-tests.mjs installs it';
  }
}
const withoutProc = () => (process.platform === 'linux' ? undefined : 'it reads /proc, which only Linux has');
const withoutTfjsNode = () =>
  process.env.LMD_TFJS_NODE === undefined
    ? 'LMD_TFJS_NODE names no engine; node scripts/native-tests.mjs builds one'
    : undefined;

/** Every benchmark, with why it cannot run here, if it cannot. */
const benchmarks: Readonly<Record<string, () => string | undefined>> = {
  [join(bench('backends'), 'index.mjs')]: () => undefined,
  [join(bench('backends'), 'operations.mjs')]: () => undefined,
  [join(bench('backends'), 'soak.mjs')]: () => undefined,
  [join(bench('backends'), 'lean-state.mjs')]: () => undefined,
  [join(bench('backends'), 'hand-over.mjs')]: withoutOnnxruntime,
  [join(bench('backends'), 'webgpu.mjs')]: withoutWebgpu,
  [join(bench('backends'), 'tfjs-node.mjs')]: withoutTfjsNode,
  [join(bench('mx-formats'), 'index.mjs')]: () => undefined,
  [join(bench('models'), 'index.mjs')]: () => undefined,
  [join(bench('training'), 'index.mjs')]: () => undefined,
  [join(bench('cli'), 'gpt2-124m.mjs')]: withoutProc,
};

/** Those that have a page to write. */
const withPages = ['backends/index.mjs', 'backends/lean-state.mjs', 'backends/tfjs-node.mjs', 'models/index.mjs'];

const folders = readdirSync(join(root, 'dev', 'bench'))
  .filter((name) => name !== 'lib')
  .map(bench);

it('every program that stands in a folder of benchmarks is one of these', () => {
  const programs = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.mjs'))
      .map((file) => join(folder, file))
      .filter((path) => path.endsWith('index.mjs') || readFileSync(join(root, path), 'utf8').includes('parseArgs(')),
  );
  expect(programs.sort()).toEqual(Object.keys(benchmarks).sort());
});

it('every benchmark that the documentation names is one of these', () => {
  const named = pages().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const ofPackages = [...text.matchAll(/npm run bench -- ([\w-]+)/g)].map(([, name]) =>
      join(bench(name === 'cpu' ? 'backends' : name!), 'index.mjs'),
    );
    const ofFiles = [...text.matchAll(/(dev\/bench\/[\w-]+\/[\w-]+\.mjs)/g)].map(([, path]) => join(path!));
    return [...ofPackages, ...ofFiles];
  });
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !Object.hasOwn(benchmarks, path))).toEqual([]);
});

describe.each(Object.entries(benchmarks))('%s', (path, missing) => {
  const reason = missing();
  if (reason !== undefined) {
    it.skip(`runs: ${reason}`, () => {});
    return;
  }

  it('runs, and reports rows of one shape', () => {
    const { status, stdout, stderr } = node('.', path, '--quick', '--json');
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

it.each(withPages)('%s writes no page from a quick run', (path) => {
  const { status, stderr } = node('.', join('dev', 'bench', path), '--quick', '--write');
  expect(status).not.toBe(0);
  expect(stderr).toContain('leave out --write');
});
