import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main, mnist, resultsTable, startEngine, trainOnce } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tfjs-mnist-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(args: readonly string[]) {
  let [out, progress] = ['', ''];
  await main(args, {
    out: { write: (text) => (out += text) },
    progress: { write: (text) => (progress += text) },
  });
  return { out, progress };
}

const few = ['--steps', '3', '--batch', '16', '--limit', '64'];

describe('tfjs-mnist', () => {
  it('trains four times, shows progress, and leaves a table, a plot and the numbers', async () => {
    const readme = join(folder, 'README.md');
    await writeFile(readme, 'Before.\n<!-- results -->\nold\n<!-- /results -->\nAfter.\n');
    const { out, progress } = await run([...few, '--seed', '7', '--out', folder, '--readme', readme]);
    for (const name of ['adam fp32', 'lmd fp32', 'adam mxfp6_e3m2', 'lmd mxfp6_e3m2']) {
      expect(progress).toMatch(new RegExp(`${name} +step 3/3  loss \\d+\\.\\d{4}\n`));
    }
    const { caption, results } = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
    expect(results).toHaveLength(4);
    for (const { losses, testAccuracy, testLoss } of results) {
      expect(losses).toHaveLength(3);
      expect(losses.every(Number.isFinite)).toBe(true);
      expect(testAccuracy * 64).toBeCloseTo(Math.round(testAccuracy * 64), 6);
      expect(testLoss).toBeGreaterThan(0);
    }
    const table = resultsTable(results);
    expect(table.split('\n')).toHaveLength(6);
    expect(out).toContain(table);
    expect(caption).toMatch(/^3 steps of 16 images, seed 7, .* UTC, .*TensorFlow\.js 4\.\d+\.\d+ wasm/);
    expect(await readFile(readme, 'utf8')).toBe(
      `Before.\n<!-- results -->\n${table}\n\n${caption}\n<!-- /results -->\nAfter.\n`,
    );
    const page = await readFile(join(folder, 'report.html'), 'utf8');
    expect(page.match(/<path class="line/g)).toHaveLength(4);
    expect(page).toContain(`${(100 * results[0].testAccuracy).toFixed(2)} %`);
  });

  it('learns, under both optimizers and in MXFP6, and leaves no tensor behind', async () => {
    await startEngine('wasm');
    const data = await mnist(600);
    const before = tf.memory().numTensors;
    for (const optimizer of ['adam', 'lmd'] as const) {
      const options = { optimizer, precision: 'mxfp6_e3m2' as const, data, steps: 40, batchSize: 32, seed: 1 };
      const { testAccuracy } = await trainOnce(options);
      expect(testAccuracy).toBeGreaterThan(0.6);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the same numbers for the same seed', async () => {
    await startEngine('wasm');
    const data = await mnist(64);
    const options = { optimizer: 'lmd', precision: 'mxfp6_e3m2', data, steps: 3, batchSize: 16, seed: 4 } as const;
    const [first, second] = [await trainOnce(options), await trainOnce(options)];
    expect(second.losses).toEqual(first.losses);
    expect((await trainOnce({ ...options, seed: 5 })).losses).not.toEqual(first.losses);
  });

  it.each([
    [['--steps', '0'], /positive integer/],
    [['--seed', '-1'], /at least 0/],
    [['--engine', 'abacus'], /Allowed choices are wasm, node, cpu/],
  ])('refuses %j', async (args, message) => {
    let printed = '';
    const streams = { out: { write: () => true }, progress: { write: (text: string) => (printed += text) } };
    await expect(main(args, streams)).rejects.toMatchObject({ exitCode: 1 });
    expect(printed).toMatch(message);
  });

  it('says what to install where the native engine is missing, and that a README lacks its markers', async () => {
    const missing = await run([...few, '--engine', 'node', '--out', folder]).catch((error: Error) => error);
    if (isLmdError(missing, 'ENGINE_MISSING')) expect(missing.message).toContain('npm install @tensorflow/tfjs-node');
    else expect((missing as { out: string }).out).toContain('tensorflow');
    const readme = join(folder, 'none.md');
    await writeFile(readme, 'No markers.');
    const unmarked = await run([...few, '--out', folder, '--readme', readme]).catch((error: Error) => error);
    expect(isLmdError(unmarked, 'INVALID_ARGUMENT')).toBe(true);
  });
});
