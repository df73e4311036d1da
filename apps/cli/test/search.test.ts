import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lmd, type Outcome, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const smoke = ['search', 'smoke', '--set', 'backend=cpu', '--trials', '3', '--steps', '12'];
let whole: Outcome;

const ledger = (out: string) =>
  readFileSync(join(folder, out, 'ledger.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const best = (out: string) => JSON.parse(readFileSync(join(folder, out, 'best.json'), 'utf8'));

beforeAll(async () => {
  whole = await lmd([...smoke, '--out', 'whole', '--parallel', '2'], folder);
  expect(whole.code).toBe(0);
});

describe('lmd search', () => {
  it('gives every optimizer the same budget, on validation data alone', () => {
    const records = ledger('whole');
    expect(records).toHaveLength(6);
    const rules = records.map(({ configuration }) => configuration.optimizers[0].rule);
    expect(rules.filter((rule) => rule === 'lmd')).toHaveLength(3);
    for (const { configuration, result } of records) {
      expect(configuration.evaluation.test).toBe(false);
      expect(configuration.steps).toBe(12);
      expect(result.validation).toHaveLength(1);
      const [{ rule, learningRate }] = configuration.optimizers;
      const center = rule === 'lmd' ? 0.01 : 0.003;
      expect(Math.abs(Math.log10(learningRate / center))).toBeLessThanOrEqual(1.01);
    }
    expect(whole.stderr).toMatch(/\[6\/6\] .*loss \d/);
    expect(readdirSync(join(folder, 'whole'))).not.toContain('work');
  });

  it('refuses a folder with other files, which it would replace', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run', 'report.html'), 'mine');
    const { code, stderr } = await lmd([...smoke, '--out', 'run'], folder);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('contains report.html') });
    expect(readFileSync(join(folder, 'run', 'report.html'), 'utf8')).toBe('mine');
  });

  it('ends with the winners as a configuration that trains, and a report', async () => {
    const records = ledger('whole');
    const lowest = records
      .filter(({ configuration, result }) => configuration.optimizers[0].rule === 'adamw' && !result.diverged)
      .sort((a, b) => a.result.loss - b.result.loss)[0];
    const [, adamw] = best('whole').optimizers;
    const { learningRate, weightDecay } = lowest.configuration.optimizers[0];
    expect(adamw).toMatchObject({ name: 'adamw', learningRate, weightDecay });
    expect(best('whole').steps).toBe(24);
    expect(whole.stdout).toMatch(/adamw +learningRate \S+, weightDecay \S+ +\d\.\d{4}/);
    expect(whole.stdout).toContain('lmd train whole/best.json');
    const page = readFileSync(join(folder, 'whole', 'report.html'), 'utf8');
    for (const text of ['Validation loss by learningRate', 'Validation loss by noise', 'lowest validation loss']) {
      expect(page).toContain(text);
    }
    const trained = await lmd(['train', 'whole/best.json', '--set', 'steps=5', '--out', 'trained', '--json'], folder);
    expect(trained.code).toBe(0);
  });

  it('is stopped by Ctrl-C and resumed by the same command, to the same winners', async () => {
    const words = [...smoke, '--out', 'stopped', '--threads', '1'];
    const { child, done } = start(words, folder);
    child.stderr!.on('data', (text) => {
      if (String(text).includes('[2/6]')) child.kill('SIGINT');
    });
    const stopped = await done;
    expect(stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('Run the same command to resume') });
    expect(existsSync(join(folder, 'stopped', 'best.json'))).toBe(false);
    const before = ledger('stopped').length;
    expect(before).toBeLessThan(6);
    expect((await lmd(words, folder)).code).toBe(0);
    expect(ledger('stopped')).toHaveLength(6);
    expect(best('stopped')).toEqual(best('whole'));
    // Nothing is left to do.
    expect((await lmd([...words, '--json'], folder)).stdout).toContain('"type":"search"');
    expect(ledger('stopped')).toHaveLength(6);
  });

  it('takes other ranges, and says beforehand what it would run', async () => {
    const ranges = ['--range', 'adamw.learningRate=0.001..0.002', 'adamw.beta1=0..0.9'];
    const { code, stdout } = await lmd([...smoke, ...ranges, '--out', 'dry', '--dry-run'], folder);
    expect(code).toBe(0);
    expect(stdout).toContain('6 trials of 12 steps');
    expect(stdout).toContain('adamw: weightDecay 0.001 … 0.3; learningRate 0.001 … 0.002; beta1 0 … 0.9');
    expect(existsSync(join(folder, 'dry'))).toBe(false);
  });

  it('names what it cannot search', async () => {
    for (const [words, text] of [
      [[...smoke, '--out', 'whole', '--trials', '4'], 'trials is 4, but the search in'],
      [[...smoke, '--range', 'sgd.learningRate=0.1..1'], 'Allowed: lmd, adamw'],
      [[...smoke, '--range', 'adamw.learningRate=0.1'], 'is not a range'],
      [[...smoke, '--range', 'adamw.beta1=0.5..1'], 'beta1'],
      [[...smoke, '--range', 'adamw.momentun=0.5..1'], 'momentun'],
      [[...smoke, '--trials', '0'], 'at least 1'],
    ] as const) {
      expect(await lmd(words, folder)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
    }
  });
});
