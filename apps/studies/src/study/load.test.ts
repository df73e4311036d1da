import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from '@lmd/cli';
import { workOf } from '@lmd/cli/experiment';
import { describe, expect, it } from 'vitest';
import { smokeStudy } from '../../test/smoke.js';
import { planStudy } from '../plan/plan.js';
import { studyUnit } from '../runner/estimate.js';
import { loadStudy, parseStudy } from './load.js';

function thrownBy(body: () => unknown): UsageError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('Nothing was thrown.');
}

/** The smoke study with one value replaced or added, at a dotted path. */
function changed(path: string, value: unknown): unknown {
  const study = structuredClone(smokeStudy) as unknown;
  const keys = path.split('.');
  let at = study as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return study;
}

const folder = fileURLToPath(new URL('../../studies/', import.meta.url));

describe('parseStudy', () => {
  it('fills in defaults, and reads back what it gave', () => {
    const study = parseStudy(smokeStudy, 'smoke');
    expect(study.warmup).toBe(0.1);
    expect(study.final.measures).toBe(2);
    expect(study.sweep!.tolerance).toBe(0.01);
    expect(parseStudy(JSON.parse(JSON.stringify(study)), 'again')).toEqual(study);
  });

  it.each([
    [
      'serch',
      {},
      'UNKNOWN_OPTION',
      'the configuration has no option "serch". Did you mean "search"? Its options are name, title',
    ],
    ['configuration.model.widht', 3, 'UNKNOWN_OPTION', 'model has no option "widht". Did you mean "width"?'],
    ['configuration.data.folder', 'x', 'UNKNOWN_OPTION', 'data has no option "folder".'],
    [
      'configuration.batchsize',
      3,
      'UNKNOWN_OPTION',
      'the configuration has no option "batchsize". Did you mean "batchSize"?',
    ],
    [
      'configuration.distributed',
      { exchange: 'averages', workers: 5 },
      'INVALID_ARGUMENT',
      'batchSize is 8, but distributed.workers is 5. Use a multiple of 5.',
    ],
    ['configuration.model.patchSize', 0, 'INVALID_ARGUMENT', 'model.patchSize = 0 is out of range'],
    ['governs.variants.0.model', { depth: 0 }, 'INVALID_ARGUMENT', 'model.depth = 0 is out of range'],
    ['optimizers.0.search.learningRate.minimun', 1, 'UNKNOWN_OPTION', 'Did you mean "minimum"?'],
    ['configuration.data.kind', 'cifar', 'INVALID_ARGUMENT', 'data.kind = "cifar" is not allowed.'],
    ['optimizers.0.rule', 'adam', 'INVALID_ARGUMENT', 'Did you mean "adamw"?'],
    [
      'formats.1',
      'mxfp4',
      'INVALID_ARGUMENT',
      'formats.1 = "mxfp4" is not allowed. Did you mean "mxfp4_e2m1"? Allowed: fp32, bf16',
    ],
    ['search.trials', 0, 'INVALID_ARGUMENT', 'search.trials = 0 is out of range; allowed: at least 1.'],
    ['search.trials', '3', 'INVALID_ARGUMENT', 'search.trials = "3" has the wrong type'],
    ['final.steps', undefined, 'INVALID_ARGUMENT', 'final.steps is missing; expected: number.'],
    ['final.seeds', [], 'INVALID_ARGUMENT', 'final.seeds = [] has too few entries; allowed: at least 1.'],
    ['final.seeds', [2, 1, 2], 'INVALID_ARGUMENT', 'final.seeds = 2 occurs twice. Remove or rename one.'],
    ['ablation.seeds', [1, 1], 'INVALID_ARGUMENT', 'ablation.seeds = 1 occurs twice.'],
    ['optimizers.0.search.learningRate.minimum', 1, 'INVALID_ARGUMENT', 'has its minimum above its maximum.'],
    ['optimizers.0.search.learningRate.minimum', 0, 'INVALID_ARGUMENT', 'a log scale'],
    [
      'optimizers.0.search.learningRate.choices',
      [1],
      'INVALID_ARGUMENT',
      'needs either minimum and maximum, or choices.',
    ],
    ['optimizers.0.search', {}, 'INVALID_ARGUMENT', 'lacks learningRate'],
    ['optimizers.0.search.beta3', { choices: [0.5] }, 'UNKNOWN_OPTION', 'optimizers.adamw has no option "beta3".'],
    [
      'optimizers.0.search.beta1',
      { choices: [0.5, 1] },
      'INVALID_ARGUMENT',
      'optimizers.adamw.beta1 = 1 is out of range',
    ],
    ['optimizers.1.options.noise', -1, 'INVALID_ARGUMENT', 'optimizers.lmd.noise = -1 is out of range'],
    ['optimizers.1.options.learningRate', 1, 'INVALID_ARGUMENT', 'is also searched'],
    ['optimizers.1.name', 'adamw', 'INVALID_ARGUMENT', 'occurs twice'],
    ['formats.1', 'fp32', 'INVALID_ARGUMENT', 'occurs twice'],
    ['subject', 'ldm', 'INVALID_ARGUMENT', 'subject = "ldm" is not an optimizer of the study.'],
    ['ablation.optimizer', 'lmdd', 'INVALID_ARGUMENT', 'is not an optimizer'],
    [
      'ablation.variants.0.options',
      { nois: 1 },
      'UNKNOWN_OPTION',
      'optimizers.lmd has no option "nois". Did you mean "noise"?',
    ],
    [
      'ablation.variants.0.factors',
      { nois: 2 },
      'INVALID_ARGUMENT',
      'does not match a numeric option. Numeric options are noise',
    ],
    ['ablation.variants.0.factors', { regularizer: 2 }, 'INVALID_ARGUMENT', 'does not match a numeric option.'],
    [
      'governs.variants.0.options',
      { adamw: { beta1: 2 } },
      'INVALID_ARGUMENT',
      'optimizers.adamw.beta1 = 2 is out of range',
    ],
    ['governs.variants.0.optimizers', ['lion'], 'INVALID_ARGUMENT', 'is not an optimizer'],
  ])('refuses %s = %j', (path, value, code, text) => {
    const error = thrownBy(() => parseStudy(changed(path, value), 'study.json'));
    expect(error.code).toBe(code);
    expect(error.message).toContain('study.json');
    expect(error.message).toContain(text);
  });

  it('names every mistake at once', () => {
    const { message } = thrownBy(() => parseStudy({ ...smokeStudy, formats: [], warmup: 2 }, 'study.json'));
    expect(message).toContain('has 2 errors');
  });
});

describe('loadStudy', () => {
  it('says what is wrong with a file', () => {
    expect(thrownBy(() => loadStudy('no-such-study.json')).message).toContain(
      'no-such-study.json is not a readable JSON',
    );
  });

  it.each(readdirSync(folder))('%s is a whole study within its budget', (file) => {
    const study = loadStudy(`${folder}${file}`);
    const { trials } = planStudy({ study, results: new Map() });
    const seconds =
      trials.reduce((sum, { configuration }) => sum + workOf(configuration, studyUnit(study)), 0) *
      study.budget.secondsPerStep;
    expect(seconds / 3600).toBeLessThan(study.budget.coreHours);
    for (const { part } of study.order) expect(trials.some((trial) => trial.part === part)).toBe(true);
  });
});
