import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diagnoseInProcess, engineNotes } from './probe-process.js';

const folder = mkdtempSync(join(tmpdir(), 'lmd-probe-'));
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

/** A program in place of `lmd`, which answers as its hidden argument would. */
function program(name: string, source: string): string {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, source);
  return path;
}

describe('a backend that is tried in a process of its own', () => {
  it('works where that process says so, whatever the engine prints', async () => {
    const answer = `console.error('noise'); process.send({ name: process.argv[3], works: true, device: 'one', gigaflops: 2 }, () => process.disconnect());`;
    const diagnosis = await diagnoseInProcess(program('works', answer), 'webgpu');
    expect(diagnosis).toEqual({ name: 'webgpu', works: true, device: 'one', gigaflops: 2 });
  });

  it('says why it does not, and what the engine printed, without places in its sources', async () => {
    const answer = `process.stderr.write("Warning: Couldn't load Vulkan: no libvulkan.so.1\\n    at operator() (/home/runner/dawn/BackendVk.cpp:368)\\n\\n".repeat(2));
process.send({ name: 'webgpu', works: false, reason: 'No adapter. Install a driver.' }, () => process.disconnect());`;
    const { works, reason } = await diagnoseInProcess(program('fails', answer), 'webgpu');
    expect(works).toBe(false);
    expect(reason).toBe("No adapter. Install a driver. Engine output: Couldn't load Vulkan: no libvulkan.so.1.");
  });

  it.each([
    ['exit', 'process.exit(3)', 'exit code 3'],
    ['abort', `process.kill(process.pid, 'SIGKILL')`, process.platform === 'win32' ? 'exit code 1' : 'SIGKILL'],
  ])('says so where its engine ends that process: %s', async (name, source, end) => {
    const { works, reason } = await diagnoseInProcess(program(name, source), 'tfjs-node');
    expect(works).toBe(false);
    expect(reason).toBe(
      `Its engine crashed the process that probed it (${end}). Update the engine or its driver, or use another backend.`,
    );
  });

  it('tells at most three things', () => {
    expect(engineNotes('a\nb.\n    at f (x.cpp:1)\nb\nc\nd\n')).toEqual([
      'Engine output: a.',
      'Engine output: b.',
      'Engine output: c.',
    ]);
    expect(engineNotes('\n')).toEqual([]);
  });
});
