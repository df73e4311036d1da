import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lmd, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const smoke = ['find-rate', 'smoke', '--set', 'backend=cpu', '--steps', '60'];

interface Tested {
  readonly tests: readonly {
    readonly optimizer: string;
    readonly configured: number;
    readonly suggested?: number;
    readonly points: readonly { readonly rate: number; readonly loss: number }[];
    readonly divergedAt?: number;
  }[];
}

describe('lmd find-rate', () => {
  it('tests each optimizer, prints a table and the rates, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await lmd(smoke, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/learning rate +loss of lmd +loss of adamw/);
    expect(stdout).toMatch(/\nadamw +[\d.e-]+ +0\.003 /);
    expect(stdout).toMatch(/lmd train smoke --set optimizers\.lmd\.learningRate=\S+ optimizers\.adamw/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('gives the same values as JSON, and the plot and them in a folder', async () => {
    const { stdout } = await lmd([...smoke, '--only', 'adamw', '--out', 'rates', '--json'], folder);
    const { tests } = JSON.parse(stdout) as Tested;
    expect(tests).toHaveLength(1);
    const { suggested, points, divergedAt, configured } = tests[0]!;
    expect(configured).toBe(0.003);
    expect(suggested).toBeGreaterThan(1e-5);
    expect(suggested).toBeLessThan(1);
    // At a rate of 10 AdamW diverges.
    expect(divergedAt).toBe(points.at(-1)!.rate);
    expect(points.length).toBeLessThan(60);
    expect(readdirSync(join(folder, 'rates')).sort()).toEqual(['rate-test.html', 'rate-test.json', 'rate-test.svg']);
    expect(JSON.parse(readFileSync(join(folder, 'rates', 'rate-test.json'), 'utf8')).tests).toEqual(tests);
    expect(readFileSync(join(folder, 'rates', 'rate-test.html'), 'utf8')).toContain('Loss by learning rate');
  });

  it('stops at Ctrl-C without a trace', async () => {
    const words = ['find-rate', 'first-light', '--steps', '100000', '--set', 'backend=cpu', '--out', 'stopped'];
    const { child, done } = start(words, folder);
    const timer = setTimeout(() => child.kill('SIGINT'), 3000);
    const { code, stderr } = await done;
    clearTimeout(timer);
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining('Nothing was written') });
    expect(existsSync(join(folder, 'stopped'))).toBe(false);
  });

  it('names what it cannot do', async () => {
    mkdirSync(join(folder, 'taken'));
    writeFileSync(join(folder, 'taken', 'thesis.txt'), '');
    for (const [words, code, text] of [
      [[...smoke, '--from', '1', '--to', '0.1'], 2, '--from is 1, but --to is 0.1'],
      [[...smoke, '--only', 'sdg'], 2, 'Allowed: lmd, adamw'],
      [[...smoke, '--steps', '3'], 2, 'at least 10'],
      [[...smoke, '--out', 'taken'], 2, 'is not empty. Use a new or empty folder, or remove that one.'],
    ] as const) {
      expect(await lmd(words, folder)).toMatchObject({ code, stderr: expect.stringContaining(text) });
    }
  });
});
