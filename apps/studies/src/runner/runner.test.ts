import { terminalOutput } from '@lmd/training/node';
import { describe, expect, it } from 'vitest';
import { smokeStudy, smokeTrial } from '../../test/smoke.js';
import type { LedgerRecord } from '../ledger/record.js';
import { parseStudy } from '../study/load.js';
import type { TrialResult } from '../trial/result.js';
import type { Trial } from '../trial/trial.js';
import { describePlan } from './dry-run.js';
import { secondsPerWork, showDuration, workOf } from './estimate.js';
import { Progress } from './progress.js';

const study = parseStudy(smokeStudy, 'smoke');

describe('the estimate', () => {
  const { configuration } = smokeTrial;
  const [lmd] = configuration.optimizers;
  const plain = { ...configuration, evaluation: { test: false } };

  it('grows with steps, samples and the size of the model', () => {
    const work = (changes: object) => workOf({ ...plain, ...changes }, study);
    expect(work({ steps: 600 }) / work({ steps: 300 })).toBeCloseTo(2, 1);
    expect(work({ optimizers: [{ ...lmd, samples: 2 }], steps: 300 }) / work({ steps: 300 })).toBeCloseTo(2, 1);
    expect(work({ model: { ...plain.model, depth: 2 } }) / work({})).toBeCloseTo(2, 5);
    const wider = work({ model: { ...plain.model, width: 64 } }) / work({});
    expect(wider).toBeGreaterThan(2);
    expect(wider).toBeLessThan(4);
    expect(work({ evaluation: { test: true, formats: ['mxfp4_e2m1'] } })).toBeGreaterThan(work({}));
  });

  it('takes the last trials of this run, divergences left out, and before them what the study says', () => {
    expect(secondsPerWork(study, [])).toBe(0.01);
    const record = (seconds: number, diverged: boolean) =>
      ({ configuration: plain, result: { diverged }, seconds }) as unknown as LedgerRecord;
    const work = workOf(plain, study);
    expect(secondsPerWork(study, [record(3 * work, false), record(5 * work, false), record(1, true)])).toBeCloseTo(4);
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

  it('says when that is more than the budget', () => {
    expect(describeWith({ budget: { coreHours: 1e-6, secondsPerStep: 1 } })).toContain('exceeds the budget');
  });
});

describe('progress', () => {
  const trial = { label: 'final lmd fp32 seed 0', steps: 10 } as Trial;
  const state = { done: 1, total: 4, secondsLeft: 30, running: [{ trial, step: 3 }] };
  const show = (terminal: boolean) => {
    let text = '';
    const output = terminalOutput({ write: (part) => (text += part) });
    const progress = new Progress((part) => void output.write(part), terminal, 60);
    progress.running(state);
    progress.finished({ trial, result: { accuracy: 0.5, loss: 1, diverged: false } as TrialResult, state });
    progress.finished({ trial, result: { accuracy: null, loss: null, diverged: true } as TrialResult, state });
    return text;
  };

  it('writes one line over on a terminal', () => {
    const line = '[1/4] final lmd fp32 seed 0 3/10; 30 s left';
    expect(show(true).startsWith(`${line}\r\u001b[K[1/4] final lmd fp32 seed 0: 50.00 %`)).toBe(true);
  });

  it('writes no control character of a name, and no line wider than the terminal', () => {
    let text = '';
    const output = terminalOutput({ write: (part) => (text += part) });
    const hostile = { ...trial, label: `\u001b]52;c;aGk=\u0007${'x'.repeat(100)}\u009b2J` };
    const progress = new Progress((part) => void output.write(part), true, 60);
    progress.running({ ...state, running: [{ trial: hostile, step: 3 }] });
    progress.say(hostile.label);
    const own = text.replaceAll('\r\u001b[K', '');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
    expect(own).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('writes a line a trial elsewhere', () => {
    expect(show(false)).toBe(
      '[1/4] final lmd fp32 seed 0: 50.00 %, loss 1.0000; 30 s left\n[1/4] final lmd fp32 seed 0: diverged; 30 s ' +
        'left\n',
    );
  });
});
