import { isLmdError } from '@lmd/core';
import { afterEach, describe, expect, it } from 'vitest';
import { startWasm } from '../wasm/instance.js';
import { UnaryOperation } from '../wasm/numbers.js';
import type { RangedKernel } from './chunks.js';
import { words } from './control.js';
import { type WorkerThreads, workerThreads } from './platform.js';
import { ThreadPool } from './pool.js';

const platform = workerThreads() as WorkerThreads;
const pools: ThreadPool[] = [];

/** A pool with one kernel of the backend; this thread may have another in its place, which a test can watch. */
async function poolOf(threads: number, callers?: RangedKernel, limits?: { waits: number; milliseconds: number }) {
  const wasm = await startWasm('strict', threads);
  const unary = wasm.kernels.unary as RangedKernel;
  const pool = new ThreadPool(platform, threads, wasm.shares, { unary: callers ?? unary }, limits);
  pools.push(pool);
  return { pool, memory: wasm.memory, start: wasm.firstFree };
}

afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

const { negate } = UnaryOperation;

/** Keeps this thread at a chunk for so long that a worker, on a busy machine too, comes to take others. */
function linger(): void {
  const end = performance.now() + 2;
  while (performance.now() < end);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

function failureOf(run: () => void): Error {
  try {
    run();
  } catch (error) {
    expect(isLmdError(error, 'BACKEND_FAILURE')).toBe(true);
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}

describe('ThreadPool', () => {
  it('does each part of the work exactly once, whoever takes it', async () => {
    const { pool, memory, start } = await poolOf(3);
    const count = 4096;
    const x = new Float32Array(memory.buffer, start, count).map((_, i) => i + 1);
    new Float32Array(memory.buffer, start, count).set(x);
    // In place and an odd number of times: a part done twice, or not at all, has the wrong sign.
    for (let round = 0; round < 501; round++) pool.run(0, count, 16 * (1 + (round % 5)), [negate, start, start]);
    expect(new Float32Array(memory.buffer, start, count).every((value, i) => value === -(i + 1))).toBe(true);
  });

  it('tells workers the size of the memory, which may have grown while they started', async () => {
    const { pool, memory, start } = await poolOf(2);
    pool.run(0, 16, 16, [negate, start, start]);
    const before = memory.buffer.byteLength;
    memory.grow(3);
    pool.run(0, 16, 16, [negate, start, start]);
    expect(pool.control.words[words.pages]! * 65_536).toBe(before + 3 * 65_536);
  });

  it('has workers that take part, and that do not keep the process alive', async () => {
    let own = 0;
    const { pool, start } = await poolOf(2, () => {
      own++;
      linger();
    });
    let jobs = 0;
    await until(() => {
      own = 0;
      pool.run(0, 160, 16, [negate, start, start]);
      jobs++;
      return own < 10;
    });
    expect(jobs).toBeGreaterThan(0);
    expect(process.getActiveResourcesInfo()).not.toContain('Worker');
  });

  it('reports a kernel that fails in a worker, and fails from then on', async () => {
    // Only the worker's kernel reads beyond the end of memory.
    const { pool } = await poolOf(2, linger);
    const beyond = 2 ** 32 - 65_536;
    await until(() => {
      try {
        pool.run(0, 160, 16, [negate, beyond, beyond]);
        return false;
      } catch {
        return true;
      }
    });
    expect(failureOf(() => pool.run(0, 16, 16, [negate, 0, 0])).message).toContain('failed in a worker');
  });

  it('reports a kernel that fails in this thread', async () => {
    const { pool, start } = await poolOf(2, () => {
      throw new RangeError('odd');
    });
    expect(failureOf(() => pool.run(0, 160, 16, [negate, start, start])).message).toContain('odd');
  });

  it('reports a worker that has ended', async () => {
    const { pool, start } = await poolOf(2);
    pool.run(0, 160, 16, [negate, start, start]);
    await pool.workers[0]!.terminate();
    expect(failureOf(() => pool.run(0, 160, 16, [negate, start, start])).message).toContain('ended');
  });

  it('does not wait for ever for a worker that ended at its work', async () => {
    const { pool, start } = await poolOf(2, undefined, { waits: 3, milliseconds: 10 });
    // As a worker leaves it that is ended between taking a chunk and finishing it.
    Atomics.add(pool.control.words, words.active, 1);
    expect(failureOf(() => pool.run(0, 160, 16, [negate, start, start])).message).toContain('ended at its work');
  });
});
