import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lmd, sha256, start, temporaryFolder, tiny } from './lmd.js';

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const all = ['weightGrowth', 'priorBound', 'flipRate', 'oscillationRate', 'gradientSignal', 'logNormality'];
const measured = [...tiny, ...all.map((name) => `diagnostics.${name}=true`), 'diagnostics.every=4'];

interface Line {
  readonly optimizer: string;
  readonly type: string;
  readonly plugin?: string;
  readonly step: number;
  readonly data?: unknown;
}
const reports = (run: string) =>
  readFileSync(at(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .filter(({ type }) => type === 'report');

it('measures what is asked for, in the metrics and the report, and leaves the run as it is', async () => {
  expect(await lmd(['train', ...measured, '--out', 'run'], folder)).toMatchObject({ code: 0, stderr: '' });
  const stepsOf = (optimizer: string) => {
    const steps: Record<string, number[]> = {};
    for (const line of reports('run').filter((line) => line.optimizer === optimizer)) {
      steps[line.plugin!] = [...(steps[line.plugin!] ?? []), line.step];
    }
    return steps;
  };
  const each = [4, 8, 12, 16];
  const common = { weightGrowth: each, flipRate: each, oscillationRate: each, gradientSignal: each };
  expect(stepsOf('lmd')).toEqual({ ...common, priorBound: each, diagnostics: [8, 16] });
  // AdamW has no medians.
  expect(stepsOf('adamw')).toEqual(common);
  const page = readFileSync(at('run', 'report.html'), 'utf8');
  for (const title of [
    'Growth of the weights',
    'prior&#39;s bound',
    'Flips of',
    'Oscillation of',
    'Signal-to-noise ratio of the gradients',
    'Log-normality',
  ]) {
    expect(page).toContain(title);
  }
  expect(await lmd(['train', ...tiny, '--out', 'plain'], folder)).toMatchObject({ code: 0, stderr: '' });
  expect(sha256(at('run', 'model.safetensors'))).toBe(sha256(at('plain', 'model.safetensors')));
  expect(readFileSync(at('plain', 'report.html'), 'utf8')).not.toContain('Measurements');
});

it('goes on measuring in a resumed run as if there had been no interruption', async () => {
  const words = ['train', ...measured, '--only', 'lmd'];
  const interrupted = start([...words, '--out', 'part', '--json'], folder, (event, child) => {
    if (event.type === 'step' && event.step === 6) child.kill('SIGINT');
  });
  expect(await interrupted.done).toMatchObject({ code: 130 });
  expect(await lmd(['train', '--resume', 'part'], folder)).toMatchObject({ code: 0, stderr: '' });
  expect(reports('part')).toEqual(reports('run').filter(({ optimizer }) => optimizer === 'lmd'));
});
