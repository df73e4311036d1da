import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors } from '@lmd/safetensors';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../src/commands/doctor.js';
import type { EvaluationRow } from '../src/commands/evaluation-row.js';
import { backendNames, bundledBackends } from '../src/engine/names.js';
import type { SummaryEvent } from '../src/run/events.js';
import { lmdProcess as lmd, type Outcome, sha256, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
let run: Outcome;
let runFolder: string;

beforeAll(async () => {
  run = await lmd(['train', ...tiny, '--json'], folder);
  runFolder = (run.events[0] as { runFolder: string }).runFolder;
});

const read = (...path: string[]) => readFileSync(join(runFolder, ...path), 'utf8');

describe('lmd train --json', () => {
  it('prints events as JSON lines and nothing else, the last one the summary', () => {
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const types = new Set(run.events.map(({ type }) => type));
    expect(types).toEqual(new Set(['run', 'start', 'step', 'evaluation', 'checkpoint', 'end', 'result', 'summary']));
    const summary = run.events.at(-1) as SummaryEvent;
    expect(summary).toMatchObject({ type: 'summary', runFolder });
    expect(summary.results.map(({ optimizer, format }) => [optimizer, format])).toEqual([
      ['lmd', 'mxfp6_e3m2'],
      ['adamw', 'mxfp6_e3m2'],
    ]);
    for (const result of summary.results) {
      expect(result.testAccuracy).toBeGreaterThan(0.5);
      expect(result.testLoss).toBeGreaterThan(0);
      expect(result.seconds).toBeGreaterThan(0);
      expect(result.imagesPerSecond).toBeGreaterThan(0);
      expect(result.peakMemoryBytes).toBeGreaterThan(40 * 2 ** 20);
      expect(result.peakMemoryBytes).toBeLessThan(600 * 2 ** 20);
    }
  });

  it('names the optimizer in each event of its training, one after the other', () => {
    const steps = run.events.flatMap((event) => (event.type === 'step' ? [`${event.optimizer} ${event.step}`] : []));
    const expected = ['lmd', 'adamw'].flatMap((name) =>
      Array.from({ length: 16 }, (_, index) => `${name} ${index + 1}`),
    );
    expect(steps).toEqual(expected);
  });

  it('makes the folder under runs/, by preset, date and number', () => {
    expect(runFolder.startsWith(join(folder, 'runs', 'smoke-'))).toBe(true);
    expect(runFolder).toMatch(/smoke-\d{4}-\d{2}-\d{2}-001$/);
  });

  it('writes everything that a run leaves', () => {
    expect(readdirSync(runFolder).sort()).toEqual(
      [
        'adamw',
        'config.json',
        'lmd',
        'metrics.csv',
        'metrics.jsonl',
        'model.safetensors',
        'report.html',
        'summary.json',
      ].sort(),
    );
    expect(readdirSync(join(runFolder, 'lmd')).sort()).toEqual(
      [
        'checkpoints',
        'metrics.csv',
        'metrics.jsonl',
        'model.safetensors',
        'posterior.json',
        'predictions.json',
        'summary.json',
      ].sort(),
    );
    expect(existsSync(join(runFolder, 'adamw', 'posterior.json'))).toBe(false);
    const { results } = JSON.parse(read('summary.json'));
    expect(results).toEqual((run.events.at(-1) as SummaryEvent).results);
    const { steps, parameters, ...summary } = JSON.parse(read(join('lmd', 'summary.json')));
    expect(summary.examplesPerParameter).toBeCloseTo((steps * summary.identity.batchSize) / parameters, 12);
    expect(summary.tokensPerParameter).toBeUndefined();
  });

  it('writes the complete configuration, from which the same run can be made', async () => {
    const configuration = JSON.parse(read('config.json'));
    expect(configuration).toMatchObject({ name: 'smoke', steps: 16, seed: 0, evaluation: { weights: 'mean' } });
    expect(configuration.optimizers[0]).toMatchObject({ name: 'lmd', noise: 0.05, useSign: true });
    const again = await lmd(
      ['train', join(runFolder, 'config.json'), '--only', 'lmd', '--out', 'again', '--json'],
      folder,
    );
    expect(again.code).toBe(0);
    // One rule trains in this process, several in children: to the same bits.
    expect(sha256(join(folder, 'again', 'model.safetensors'))).toBe(sha256(join(runFolder, 'model.safetensors')));
  });

  it('joins the metrics of all rules, each line with its rule', () => {
    const lines = read('metrics.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ optimizer, type }) => optimizer === 'lmd' && type === 'step')).toHaveLength(16);
    expect(lines.filter(({ optimizer, type }) => optimizer === 'adamw' && type === 'step')).toHaveLength(16);
    expect(lines.filter(({ split }) => split === 'test')).toHaveLength(2);
  });

  it("exports the first rule's weights, with metadata and nothing that changes between runs", () => {
    const { tensors, metadata } = parseSafetensors(readFileSync(join(runFolder, 'model.safetensors')));
    expect(sha256(join(runFolder, 'model.safetensors'))).toBe(sha256(join(runFolder, 'lmd', 'model.safetensors')));
    expect([...tensors.keys()]).toContain('blocks.0.attention.qkv.weight');
    const values = Object.fromEntries(Object.entries(metadata));
    expect(values).toMatchObject({
      optimizer: 'lmd',
      rule: 'lmd',
      precision: 'mxfp6_e3m2',
      weights: 'mean',
      seed: '0',
    });
    expect(JSON.stringify(values)).not.toContain(folder);
  });

  it('stores the distribution of log m', () => {
    const posterior = JSON.parse(read('lmd', 'posterior.json'));
    for (const half of [posterior.plus, posterior.minus]) {
      expect(half.histogram.counts.reduce((sum: number, value: number) => sum + value, 0)).toBe(half.count);
      expect(half.standardDeviation).toBeGreaterThan(0);
    }
    expect(posterior.weights.map(({ name }: { name: string }) => name)).toContain('head.weight');
  });

  it('writes a report with both rules, which fetches nothing', () => {
    const report = read('report.html');
    expect(report).toContain('lmd, validation');
    expect(report).toContain('adamw, validation');
    expect(report).toContain('log-normal fitted to m⁺');
    expect(report.replace(/ src="data:image\/png;base64,[^"]*"/g, '')).not.toMatch(
      /https?:|src=|<script|<link|@import|url\(/,
    );
  });
});

describe('lmd train for people', () => {
  it('takes a new folder, prints plain lines and an aligned table, and says where everything is', async () => {
    const second = await lmd(['train', '--set', 'steps=6', ...tiny.slice(0, 1), '--only', 'adamw'], folder);
    expect(second.code).toBe(0);
    const lines = second.stdout.split('\n');
    const escapeCode = String.fromCharCode(27);
    expect(second.stdout).not.toContain(escapeCode);
    expect(second.stdout).not.toContain('\r');
    const titles = lines.findIndex((line) => line.startsWith('optimizer  format'));
    expect(lines[titles + 2]).toMatch(/^adamw +mxfp6_e3m2 +[\d.]+ % +[\d.]+ +[\d.]+ +[\d,]+ +\d+ MiB$/);
    expect(lines[titles + 2]!.length).toBe(lines[titles + 1]!.length);
    const path = lines.find((line) => line.startsWith('Run folder'))!.split(/ {2,}/)[1]!;
    expect(path).toMatch(/^runs.smoke-.*-002$/);
    expect(lines.find((line) => line.startsWith('Report'))).toContain(join(path, 'report.html'));
    expect(existsSync(join(folder, path, 'report.html'))).toBe(true);
  });

  it('says that a finished run is finished, and changes nothing', async () => {
    const before = sha256(join(runFolder, 'report.html'));
    const resumed = await lmd(['train', '--resume', runFolder], folder);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain('This run is finished');
    expect(sha256(join(runFolder, 'report.html'))).toBe(before);
    const asJson = await lmd(['train', 'smoke', '--resume', runFolder, '--json'], folder);
    expect(asJson.events).toEqual([run.events.at(-1)]);
  });
});

describe('lmd evaluate', () => {
  it('gives what training gave, for the same format and weights', async () => {
    const evaluated = await lmd(['evaluate', runFolder, '--json'], folder);
    expect(evaluated.code).toBe(0);
    // Of images there is no perplexity.
    expect(evaluated.stdout).not.toContain('erplexity');
    const rows = (evaluated.events[0] as unknown as { results: { testLoss: number; testAccuracy: number }[] }).results;
    const { results } = run.events.at(-1) as SummaryEvent;
    expect(rows.map(({ testAccuracy }) => testAccuracy)).toEqual(results.map(({ testAccuracy }) => testAccuracy));
    // Losses are summed in float64, and in training in float32 on the device.
    for (const [index, { testLoss }] of rows.entries()) expect(testLoss).toBeCloseTo(results[index]!.testLoss!, 6);
  });

  it('averages samples only of optimizers with a posterior, and refuses in the words of predict', async () => {
    const both = await lmd(['evaluate', runFolder, '--samples', '2', '--json'], folder);
    expect(both.stderr).toMatch(/adamw has no posterior to sample from, and is not evaluated/);
    const summary = both.events.at(-1) as unknown as { results: { optimizer: string }[] };
    expect(summary.results.map(({ optimizer }) => optimizer)).toEqual(['lmd']);
    const refused = await lmd(['evaluate', runFolder, '--optimizer', 'adamw', '--samples', '2'], folder);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/was trained by adamw, so that it has no posterior to sample from. Omit samples/);
  });

  it('averages samples of the posterior, and detects data of another distribution', async () => {
    const other = '{ "kind": "synthetic", "noise": 4 }';
    const words = ['evaluate', runFolder, '--optimizer', 'lmd', '--samples', '5', '--out-of-distribution', other];
    const { code, stderr, events } = await lmd([...words, '--json'], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [row] = (events[0] as unknown as { results: EvaluationRow[] }).results;
    expect(row).toMatchObject({ weights: 'sample', samples: 5, calibrationBins: 15, testLoss: row!.averages[3]!.loss });
    expect(row!.averages.map(({ samples }) => samples)).toEqual([1, 2, 4, 5]);
    const { data, aurocByConfidence, aurocByEntropy } = row!.outOfDistribution!;
    expect(data).toBe('synthetic');
    for (const area of [aurocByConfidence, aurocByEntropy]) {
      expect(area).toBeGreaterThan(0.5);
      expect(area).toBeLessThanOrEqual(1);
    }
    expect(row!.temperature).toBeGreaterThanOrEqual(1 / 16);
    const text = await lmd(words, folder);
    expect(text.stdout).toContain('AUROC, entropy');
    expect(text.stdout).toContain('in 15 bins of equal width');
  });

  it('evaluates under another format and at other points of the posterior', async () => {
    const words = ['evaluate', runFolder, '--optimizer', 'lmd', '--json'];
    const loss = async (...extra: string[]) => {
      const outcome = await lmd([...words, ...extra], folder);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      const [row, ...others] = (outcome.events[0] as unknown as { results: { testLoss: number }[] }).results;
      expect(others).toEqual([]);
      return row!.testLoss;
    };
    const losses = await Promise.all([
      loss('--format', 'mxfp4_e2m1'),
      loss('--format', 'fp32'),
      loss('--format', 'fp32', '--weights', 'median'),
      loss('--format', 'fp32', '--samples', '2'),
    ]);
    expect(new Set(losses).size).toBe(4);
    for (const value of losses) expect(value).toBeLessThan(2);
  });
});

describe('lmd doctor', () => {
  it('finds what comes with the command at work, and MNIST, and says what other backends need', async () => {
    const outcome = await lmd(['doctor', '--json'], folder);
    // Native engines say by themselves, on standard error, what they lack.
    expect(outcome.code).toBe(0);
    const diagnosis = outcome.events[0] as unknown as Diagnosis;
    expect(diagnosis).toMatchObject({ type: 'doctor', node: process.versions.node, mnist: { available: true } });
    expect(diagnosis.backends.map(({ name }) => name)).toEqual(backendNames);
    for (const { name, works, reason } of diagnosis.backends) {
      if ((bundledBackends as readonly string[]).includes(name)) expect(works, name).toBe(true);
      else expect(works || reason !== undefined, name).toBe(true);
    }
  });
});
