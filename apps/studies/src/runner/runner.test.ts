import { type LedgerRecord, secondsPerWork, showDuration, workOf } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { smokeStudy, smokeTrial } from '../../test/smoke.js';
import { parseStudy } from '../study/load.js';
import { describePlan } from './dry-run.js';
import { studyUnit } from './estimate.js';

const study = parseStudy(smokeStudy, 'smoke');
const unit = studyUnit(study);

describe('the estimate', () => {
  const { configuration } = smokeTrial;
  const [lmd] = configuration.optimizers;
  const plain = { ...configuration, evaluation: { test: false } };

  it('grows with steps, samples and the size of the model', () => {
    const work = (changes: object) => workOf({ ...plain, ...changes }, unit);
    expect(work({ steps: 600 }) / work({ steps: 300 })).toBeCloseTo(2, 1);
    expect(work({ optimizers: [{ ...lmd, samples: 2 }], steps: 300 }) / work({ steps: 300 })).toBeCloseTo(2, 1);
    expect(work({ model: { ...plain.model, depth: 2 } }) / work({})).toBeCloseTo(2, 5);
    const wider = work({ model: { ...plain.model, width: 64 } }) / work({});
    expect(wider).toBeGreaterThan(2);
    expect(wider).toBeLessThan(4);
    expect(work({ evaluation: { test: true, formats: ['mxfp4_e2m1'] } })).toBeGreaterThan(work({}));
  });

  it('takes the last trials of this run, divergences left out, and none before them', () => {
    expect(secondsPerWork(unit, [])).toBeUndefined();
    const record = (seconds: number, diverged: boolean) =>
      ({ configuration: plain, result: { diverged }, seconds }) as unknown as LedgerRecord;
    const work = workOf(plain, unit);
    expect(secondsPerWork(unit, [record(3 * work, false), record(5 * work, false), record(1, true)])).toBeCloseTo(4);
  });

  it.each([
    [12.4, '12 s'],
    [89, '89 s'],
    [150, '3 min'],
    [3599, '1 h 00 min'],
    [7500, '2 h 05 min'],
  ])('shows %d seconds as %s', (seconds, text) => expect(showDuration(seconds)).toBe(text));
});

describe('a dry run', () => {
  const describeWith = (changes: object) =>
    describePlan({
      study: { ...study, ...changes },
      results: new Map(),
      parallel: 2,
      verbose: false,
    });

  it('tells trials and time by part, and that what follows the search is open', () => {
    const text = describeWith({});
    for (const part of ['search', 'final', 'sweep', 'ablation', 'governs', 'total']) expect(text).toContain(part);
    expect(text).toContain('With --parallel 2');
    expect(text).toContain('configurations are not known yet');
    expect(text).not.toContain('exceeds the budget');
  });

  it('tells a short time in seconds', () => {
    const text = describeWith({ budget: { coreHours: 1, secondsPerStep: 1e-4 } });
    expect(text).toMatch(/\n\d+ s of one core left at 0\.1 ms per step .* whole study is 1 core-hours\./);
    expect(describeWith({ budget: { coreHours: 9, secondsPerStep: 100 } })).toMatch(/\n\d+\.\d core-hours left at /);
  });

  it('says when that is more than the budget', () => {
    expect(describeWith({ budget: { coreHours: 1e-6, secondsPerStep: 1 } })).toContain('exceeds the budget');
  });
});
