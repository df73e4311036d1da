import type { LedgerRecord, RecordedResult } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { smokeStudy } from '../../test/smoke.js';
import { planStudy } from '../plan/plan.js';
import type { Trial } from '../plan/trial.js';
import { searchTrials } from '../plan/trials.js';
import { parseStudy } from '../study/load.js';
import { composeFiles } from './write-report.js';

const study = parseStudy(
  {
    ...smokeStudy,
    final: { ...smokeStudy.final, seeds: [0, 1, 2] },
    sweep: { steps: 2, factors: [0.5, 1, 2, 4] },
    order: [{ part: 'search' }, { part: 'final' }, { part: 'sweep' }],
  },
  'study',
);

const calm: RecordedResult = {
  diverged: false,
  loss: 0.5,
  accuracy: 0.8,
  trainingLoss: 0.4,
  spikes: 0,
  curve: [],
  validation: [],
  deployed: {},
  measures: [],
  parameters: 1234,
  device: 'a device',
};

function record({ hash, label, configuration }: Trial, result: Partial<RecordedResult>): LedgerRecord {
  const provenance = { commit: 'c0ffee', versions: { '@lmd/core': '1' }, node: '20.0.0', machine: 'a machine' };
  const merged = { ...calm, ...result };
  return {
    hash,
    label,
    configuration,
    result: merged,
    seconds: 1,
    date: '2026-01-02T03:04:05Z',
    ...provenance,
  };
}

/** A ledger in which every trial found what `find` says. */
function ledger(find: (trial: Trial) => Partial<RecordedResult> | undefined): LedgerRecord[] {
  const search = searchTrials(study).map((trial) => record(trial, find(trial) ?? {}));
  const results = new Map(search.map(({ hash, result }) => [hash, result]));
  const rest = planStudy({ study, results }).trials.filter(({ part }) => part !== 'search');
  return [
    ...search,
    ...rest.flatMap((trial) => {
      const found = find(trial);
      return found === undefined ? [] : [record(trial, found)];
    }),
  ];
}

/** Final accuracies by rule and format, for seeds 0, 1 and 2. */
const accuracies: Record<string, readonly number[]> = {
  'adamw fp32': [0.9, 0.902, 0.904],
  'adamw mxfp4_e2m1': [0.89, 0.891, 0.895],
  'lmd fp32': [0.88, 0.882, 0.884],
  'lmd mxfp4_e2m1': [0.93, 0.89, 0.9],
};

const sweep: Record<number, number> = { 0.5: 0.7, 1: 0.8, 2: 0.795, 4: 0.1 };

function findings({ part, optimizer, format, seed, variant }: Trial): Partial<RecordedResult> {
  if (part === 'final') return { accuracy: accuracies[`${optimizer} ${format}`]![seed]! };
  if (part !== 'sweep') return {};
  const factor = Number(variant.slice(1));
  if (optimizer === 'lmd' && factor === 4) return { diverged: true, loss: null, accuracy: null };
  return { accuracy: sweep[factor]!, spikes: optimizer === 'adamw' ? 1 : 0 };
}

/** The cells of the first row that begins so. */
function row(markdown: string, start: string): string[] {
  const line = markdown.split('\n').find((candidate) => candidate.startsWith(`| ${start}`));
  expect(line, start).toBeDefined();
  return line!
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** What stands below a heading or a sentence. */
function below(markdown: string, start: string): string {
  const at = markdown.indexOf(start);
  expect(at, start).toBeGreaterThanOrEqual(0);
  return markdown.slice(at + start.length);
}

describe('the report', () => {
  const { 'report.md': markdown, 'report.html': html, 'trials.csv': csv } = composeFiles(study, ledger(findings));

  it('gives means with 95 % intervals, paired by seed where two are compared', () => {
    // s = 0.002 and t = 4.3027: ± 4.3027·0.002/√3 = 0.497 points.
    expect(row(below(markdown!, 'Trained in each format'), 'AdamW')).toEqual(['AdamW', '90.20 ± 0.50', '89.20 ± 0.66']);
    // Differences −1.0, −1.1 and −0.9 points.
    expect(row(below(markdown!, 'Cost of a format'), 'AdamW')).toEqual(['AdamW', '−1.00 ± 0.25']);
  });

  it('gives weight norms where the ledger has them', () => {
    expect(markdown).not.toContain('norm of all weights');
    const normed = ledger((trial) => ({ ...findings(trial), weightNorm: 50 + trial.seed }));
    const { 'report.md': withNorms } = composeFiles(study, normed);
    // s = 1 and t = 4.3027: ± 4.3027/√3.
    expect(row(below(withNorms!, 'norm of all weights'), 'LMD')).toEqual(['LMD', '51.0 ± 2.5', '51.0 ± 2.5']);
  });

  it('reports where the subject is worse, and nothing where the interval holds 0', () => {
    const versus = row(below(markdown!, 'LMD minus').replace(/^/, '| '), 'AdamW');
    expect(versus.slice(1)).toEqual(['−2.00 ± 0.00: worse', '+1.47 ± 5.50: not significant']);
    expect(markdown).toContain(
      'LMD is significantly worse (95 % confidence interval excludes 0; percentage points of test accuracy) than ' +
        'AdamW in FP32',
    );
    expect(markdown).not.toContain('LMD is significantly better');
    expect(markdown).toContain('Cost of MXFP4 relative to FP32, smallest first: LMD +2.47');
  });

  it('gives the width of the good range, divergences and spikes', () => {
    const part = below(markdown!, 'Width in octaves of the range');
    expect(row(part, 'AdamW')).toEqual(['AdamW', '2.0 (×1 … ×2)', '2.0 (×1 … ×2)']);
    expect(row(below(part, 'Divergences and loss spikes'), 'AdamW').at(-1)).toBe('0 diverged, 4 spikes');
    expect(row(below(part, 'Divergences and loss spikes'), 'LMD').at(-1)).toBe('1 diverged, 0 spikes');
  });

  it('is complete, says how it was made, and escapes what goes into HTML', () => {
    expect(markdown).toContain('Complete: all');
    for (const fact of ['c0ffee', 'a machine', '2026-01-02 03:04', 'a device, Node 20.0.0', '@lmd/core 1']) {
      expect(markdown).toContain(fact);
    }
    expect(html).toContain('<svg');
    const odd = composeFiles({ ...study, title: '<b> & "co"' }, []);
    expect(odd['report.html']).toContain('&lt;b&gt; &amp; &quot;co&quot;');
    expect(odd['report.html']).not.toContain('<b>');
    expect(csv!.split('\n')[1]).toContain('"{""');
  });

  it('aligns its tables', () => {
    let width: number | undefined;
    for (const line of markdown!.split('\n')) {
      if (!line.startsWith('|')) width = undefined;
      else {
        const length = [...line].length;
        expect(length, line).toBe(width ?? length);
        width = length;
      }
    }
  });

  it('shows a partial ledger as partial, and ranks nothing that is not whole', () => {
    const partial = ledger((trial) =>
      trial.part === 'search' || (trial.part === 'final' && trial.seed === 0 && trial.optimizer === 'lmd')
        ? findings(trial)
        : undefined,
    );
    const files = composeFiles(study, partial);
    const report = files['report.md']!;
    expect(report).toContain('Partial: 6 of');
    expect(report).toContain('sweep: all');
    expect(report).toContain('fp32 seed 0 (adamw)');
    expect(row(below(report, 'Trained in each format'), 'LMD')).toEqual(['LMD', '88.00', '93.00']);
    expect(row(below(report, 'Trained in each format'), 'AdamW')).toEqual(['AdamW', '–', '–']);
    expect(report).not.toContain('## Summary');
  });

  it('names an optimizer whose search found nothing', () => {
    const failed = ledger(({ part, optimizer }) =>
      part === 'search' && optimizer === 'adamw' ? { diverged: true, loss: null, accuracy: null } : undefined,
    );
    const report = composeFiles(study, failed)['report.md']!;
    expect(report).toContain('every trial diverged');
  });

  it('ranks the optimizers on unreliable memory, with a figure', () => {
    const fault = (accuracy: number) => ({ faulty: { 'logNormal 0.5': { accuracy, loss: 1 } } });
    const records = ledger(({ optimizer, seed }) => fault((optimizer === 'lmd' ? 0.7 : 0.5) + seed / 100));
    const { 'report.md': markdown = '', 'figure.svg': figure = '' } = composeFiles(study, records);
    expect(markdown).toContain('Test accuracy with log-normal 0.5, best first: LMD 71.00 ± 2.48');
    expect(markdown).toContain('![Test accuracy in FP32 with faults: log-normal](figure.svg)');
    expect(markdown).toMatch(/\| AdamW +\| +80\.00 ± 0\.00 +\| +51\.00 ± 2\.48 +\|/);
    expect(figure).toMatch(/^<svg [\s\S]*LMD/);
  });

  it('gives accuracy by bytes per weight, and what the codes of the weights do', () => {
    const sized = {
      ...study,
      optimizers: study.optimizers.map((one) => ({ ...one, bytesPerWeight: one.name === 'lmd' ? 4.1 : 12 })),
    };
    const codes = [
      { step: 1, flipped: 0.1, returned: 0.01 },
      { step: 4, flipped: 0.04, returned: 0.03 },
      { step: 8, flipped: 0, returned: 0 },
    ];
    const records = ledger((trial) => ({
      ...findings(trial),
      ...(trial.part === 'final' && trial.format !== 'fp32' ? { codes } : {}),
    }));
    const { 'report.md': markdown = '', 'figure.svg': figure = '' } = composeFiles(sized, records);
    const part = below(markdown, '## Accuracy by bytes per weight');
    expect(row(part, 'LMD')).toEqual(['LMD', '4.1', '88.20 ± 0.50', '90.67 ± 5.17']);
    expect(part.indexOf('LMD')).toBeLessThan(part.indexOf('AdamW'));
    expect(figure).toContain('by bytes per weight');
    const cells = ['MXFP4', 'LMD', '10.000', '0.10', '4.000', '0.75'];
    expect(row(below(markdown, '## Codes of the weights'), 'MXFP4  | LMD')).toEqual(cells);
  });

  it('makes no HTML, link or formula of what a study or a ledger says', () => {
    const hostile = '=HYPERLINK("http://x") <script>alert(1)</script>\n# [link](javascript:alert(1)) & \u001b[31m';
    const withNote = parseStudy(
      {
        ...smokeStudy,
        title: hostile,
        question: hostile,
        ablation: { ...smokeStudy.ablation, variants: [{ name: hostile, note: hostile, options: { noise: 0 } }] },
      },
      'study',
    );
    const search = searchTrials(withNote).map((trial) => record(trial, { device: hostile }));
    const results = new Map(search.map(({ hash, result }) => [hash, result]));
    const rest = planStudy({ study: withNote, results }).trials.filter(({ part }) => part !== 'search');
    const records = [...search, ...rest.map((trial) => record(trial, { device: hostile }))];
    const files = composeFiles(withNote, records);
    const { 'report.md': markdown = '', 'report.html': html = '', 'trials.csv': csv = '' } = files;
    expect(markdown).toContain('HYPERLINK');
    expect(csv).toContain('HYPERLINK');
    for (const text of [markdown, html]) expect(text).not.toContain('<script');
    const figure = /^!\[[^\]]*\]\(figure\.svg\)$/m;
    expect(markdown.replace(figure, '')).not.toMatch(/(?<!\\)\]\(|^# \[/m);
    expect(markdown).not.toContain(String.fromCharCode(27));
    // A field that begins with = + - @ is one that a spreadsheet computes, in quotes too.
    expect(csv).not.toMatch(/(^|,)"?[=+@]/m);
    expect(csv).toContain("'=HYPERLINK");
  });
});
