import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const only = ['--only', 'adamw', '--json'];

beforeAll(async () => {
  await lmd(['train', ...tiny, '--out', 'both', '--json'], folder);
  await lmd(['train', ...tiny, 'optimizers.adamw.learningRate=0.01', ...only, '--out', 'faster'], folder);
  await lmd(['train', ...tiny, 'data.noise=0.6', 'model.width=16', ...only, '--out', 'other'], folder);
});

interface Compared {
  readonly trials: readonly { readonly run: string; readonly optimizer: string; readonly isFinished: boolean }[];
  readonly differences: readonly { readonly key: string; readonly values: readonly unknown[] }[];
  readonly notes: readonly string[];
}

async function compared(...runs: string[]): Promise<Compared> {
  const { code, stdout } = await lmd(['compare', ...runs, '--json'], folder);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Compared;
}

describe('lmd compare', () => {
  it('aligns the results of runs, shows differing keys alone, and writes a page with all curves', async () => {
    const { code, stdout } = await lmd(['compare', 'both', 'faster', '--html', 'page.html'], folder);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => /^(both|faster) /.test(line))).toHaveLength(3);
    expect(lines[2]).toMatch(/^both +lmd +finished +16 +\d\.\d{4} +\d/);
    expect(stdout).toMatch(/optimizer\.learningRate +0\.01 +0\.003 +0\.01/);
    expect(stdout).not.toMatch(/batchSize|note/);
    const page = readFileSync(join(folder, 'page.html'), 'utf8');
    for (const text of ['both lmd, training', 'faster adamw, training', 'has the lowest validation loss']) {
      expect(page).toContain(text);
    }
  });

  it('has the same values as JSON and CSV', async () => {
    const { trials, differences, notes } = await compared('both', 'faster');
    expect(trials.map(({ run, optimizer }) => `${run} ${optimizer}`)).toEqual([
      'both lmd',
      'both adamw',
      'faster adamw',
    ]);
    expect(differences.find(({ key }) => key === 'optimizer.learningRate')?.values).toEqual([0.01, 0.003, 0.01]);
    expect(notes).toEqual([]);
    const { results } = JSON.parse(readFileSync(join(folder, 'both', 'summary.json'), 'utf8'));
    const { validationLoss, testLoss, seconds } = results[0];
    expect(trials[0]).toMatchObject({ validation: { loss: validationLoss }, test: { loss: testLoss }, seconds });
    const { stdout } = await lmd(['compare', 'both', 'faster', '--csv'], folder);
    const [titles, first] = stdout.split('\n').map((line) => line.split(','));
    expect(first![titles!.indexOf('validationLoss')]).toBe(String(validationLoss));
    expect(first![titles!.indexOf('optimizer.learningRate')]).toBe('0.01');
  });

  it('allows runs of other data and models, and says so', async () => {
    const { differences, notes } = await compared('faster', 'other');
    const keys = differences.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['data.noise', 'model.width']));
    expect(notes).toHaveLength(2);
    const { stdout } = await lmd(['compare', 'faster', 'other', '--html', 'other.html'], folder);
    expect(stdout).toContain('note The runs use different data');
    expect(readFileSync(join(folder, 'other.html'), 'utf8')).not.toContain('lowest validation loss');
  });

  it('marks a run that is not finished, and one that has not begun', async () => {
    const kept = join(folder, 'faster', 'adamw', 'summary.json');
    renameSync(kept, `${kept}.kept`);
    try {
      const { stdout } = await lmd(['compare', 'both', 'faster'], folder);
      expect(stdout).toMatch(/faster +adamw +unfinished, 16 of 16/);
    } finally {
      renameSync(`${kept}.kept`, kept);
    }
    const fresh = join(folder, 'fresh');
    mkdirSync(fresh);
    const configuration = readFileSync(join(folder, 'faster', 'config.json'));
    writeFileSync(join(fresh, 'config.json'), configuration);
    const { trials } = await compared('faster', 'fresh');
    expect(trials[1]).toMatchObject({ run: 'fresh', isFinished: false, step: 0 });
    rmSync(fresh, { recursive: true });
  });

  it('names what it cannot compare', async () => {
    for (const [words, text] of [
      [['compare'], "missing required argument 'run'"],
      [['compare', 'both', 'both'], 'is given twice'],
      [['compare', 'both', 'nowhere'], 'is not a run folder'],
      [['compare', 'both', '--csv', '--json'], 'cannot be used with'],
    ] as const) {
      const { code, stderr } = await lmd(words, folder);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
    }
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });
});
