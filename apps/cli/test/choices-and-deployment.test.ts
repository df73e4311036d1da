import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SummaryEvent } from '../src/run/events.js';
import type { ProductNoise } from '../src/trial/product-noise.js';
import { lmd, type Outcome, sha256, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const train = (out: string, ...changes: string[]) =>
  lmd(['train', ...tiny, ...changes, '--only', 'lmd', '--out', out, '--json'], folder);
const model = (run: string) => sha256(at(run, 'model.safetensors'));
const firstLoss = ({ events }: Outcome) => events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))[0];
interface Line {
  readonly type: string;
  readonly step: number;
  readonly split?: string;
  readonly plugin?: string;
  readonly data: { readonly products: readonly ProductNoise[] };
}
const lines = (run: string) =>
  readFileSync(at(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

let plain: Outcome;

beforeAll(async () => {
  plain = await train('plain');
  expect(plain).toMatchObject({ code: 0, stderr: '' });
});

describe('a run that a choice is made from', () => {
  const formats = ['mxfp6_e3m2', 'fp32', 'mxfp4_e2m1'];
  let chosen: Outcome;

  beforeAll(async () => {
    const noise = ['diagnostics.quantizationNoise=true', 'diagnostics.every=8'];
    chosen = await train('chosen', 'evaluation.test=false', `evaluation.formats=${JSON.stringify(formats)}`, ...noise);
    expect(chosen).toMatchObject({ code: 0, stderr: '' });
  });

  it('leaves the test set alone with evaluation.test = false, and says nothing of it', async () => {
    const { results } = chosen.events.at(-1) as SummaryEvent;
    expect(Object.keys(results[0]!).filter((key) => key.startsWith('test'))).toEqual([]);
    expect(results[0]!.validationAccuracy).toBeGreaterThan(0.5);
    const evaluations = lines('chosen').filter(({ type }) => type === 'evaluation');
    expect(evaluations.map(({ split, step }) => [split, step])).toEqual([
      ['validation', 8],
      ['validation', 16],
    ]);
    const { stdout } = await lmd(['inspect', 'chosen'], folder);
    const [titles, row] = stdout.split('\n').filter((line) => /^(optimizer|lmd) /.test(line)) as [string, string];
    expect(titles).toContain('validation  test  newest');
    expect(row.slice(titles.indexOf(' test '), titles.indexOf('newest')).trim()).toBe('');
  });

  it('evaluates the same weights in evaluation.formats, that of the training as in training', () => {
    const { deployed, validationAccuracy, validationLoss } = (chosen.events.at(-1) as SummaryEvent).results[0]!;
    expect(Object.keys(deployed!)).toEqual(formats);
    expect(deployed!.mxfp6_e3m2).toEqual({ accuracy: validationAccuracy, loss: validationLoss });
    const losses = new Set(formats.map((format) => deployed![format]!.loss));
    expect(losses.size).toBe(3);
  });

  it('measures the noise of every product with diagnostics.quantizationNoise', () => {
    const reports = lines('chosen').filter(({ plugin }) => plugin === 'quantizationNoise');
    expect(reports.map(({ step }) => step)).toEqual([8, 16]);
    const inBlock = ['qkv', 'scores', 'values', 'projection'].map((name) => `blocks.0.attention.${name}`);
    const names = ['patchEmbedding', ...inBlock, 'blocks.0.mlp.up', 'blocks.0.mlp.down', 'head'];
    for (const { data } of reports) {
      expect(data.products.map(({ product }) => product)).toEqual(names);
      for (const { formats: measured } of data.products) {
        // Three significant bits of each factor are about 20 to 30 dB of the product.
        expect(Object.keys(measured)).toEqual(['mxfp6_e3m2']);
        expect(measured.mxfp6_e3m2!.signalToNoise).toBeGreaterThan(15);
        expect(measured.mxfp6_e3m2!.signalToNoise).toBeLessThan(40);
      }
    }
    expect(readFileSync(at('chosen', 'report.html'), 'utf8')).toContain(
      'Signal-to-noise ratio of the quantized products',
    );
  });

  it('trains to the same bits', () => {
    expect(model('chosen')).toBe(model('plain'));
  });
});

it('rounds backward products to the format of `backward`', async () => {
  const rounded = await train('backward', 'backward=mxfp4_e2m1');
  expect(rounded).toMatchObject({ code: 0, stderr: '' });
  // The first forward pass is the same.
  expect(firstLoss(rounded)).toBe(firstLoss(plain));
  expect(model('backward')).not.toBe(model('plain'));
});

it('makes data from `dataSeed`, by default from `seed`', async () => {
  const testLoss = async (changes: object) => {
    const configuration = JSON.parse(readFileSync(at('plain', 'config.json'), 'utf8'));
    writeFileSync(at('other.json'), JSON.stringify({ ...configuration, ...changes }));
    const { events } = await lmd(['evaluate', 'other.json', '--model', 'plain', '--json'], folder);
    return (events.at(-1) as SummaryEvent).results[0]!.testLoss!;
  };
  const same = await testLoss({});
  expect(await testLoss({ seed: 1, dataSeed: 0 })).toBe(same);
  expect(await testLoss({ seed: 1 })).not.toBe(same);
  expect(await testLoss({ dataSeed: 1 })).toBe(await testLoss({ seed: 1 }));
});
