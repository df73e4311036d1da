import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composeReport, recordsFile } from './page.mjs';
import { readRecords } from './records.mjs';

const scored = (loss: number, draws: readonly number[]) => ({
  averages: draws.map((samples) => ({ samples, accuracy: 0.8, loss, brier: 0.3, calibrationError: 0.05 })),
  temperature: 1.2,
  scaledLoss: loss - 0.1,
  auroc: 0.9,
});

const made = { seconds: 60, date: '2026-12-01', machine: 'a machine' };
const records = [
  {
    label: 'search lmd-0.1 #1',
    searched: { learningRate: 0.01234 },
    validation: { loss: 0.6, accuracy: 0.7 },
    ...made,
  },
  ...[1, 2, 3].map((seed) => ({
    ...{ label: `final lmd-0.1 seed ${seed}`, method: 'lmd-0.1', seed, searched: { learningRate: 0.01 }, ...made },
    mean: scored(0.5, [1]),
    drawn: scored(0.4 + 0.01 * seed, [1, 2]),
  })),
];

describe('the report of the posterior study', () => {
  it('has a row for the mean weights and one for the draws, with intervals over the seeds', () => {
    const { 'report.md': markdown, 'figure.svg': figure } = composeReport(records);
    expect(markdown).toMatch(/\| LMD, noise 0\.1, mean weights \| +80\.00 ± 0\.00 \| +0\.5000 ± 0\.0000 \|/);
    // s = 0.01 and t = 4.3027: ± 4.3027·0.01/√3.
    expect(markdown).toMatch(/\| LMD, noise 0\.1, 32 draws +\| +80\.00 ± 0\.00 \| +0\.4200 ± 0\.0248 \|/);
    expect(markdown).toMatch(/\| lmd-0\.1 #1 \| learningRate 0\.0123 +\| +0\.6000 \|/);
    expect(figure).toContain('LMD, noise 0.1, 32 draws');
  });

  it.runIf(existsSync(recordsFile))('is what its records say, to the letter', () => {
    for (const [file, text] of Object.entries(composeReport(readRecords(recordsFile)))) {
      const same = readFileSync(join(dirname(recordsFile), file), 'utf8') === text;
      expect(same, `npm run posterior -- --write writes ${file}`).toBe(true);
    }
  });
});
