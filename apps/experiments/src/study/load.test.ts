import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { smokeStudy } from '../../test/smoke.js';
import { StudyError } from '../errors.js';
import { planStudy } from '../plan/plan.js';
import { workOf } from '../runner/estimate.js';
import { loadStudy, parseStudy } from './load.js';
import { createOptimizer, ruleNames, rules } from './rules.js';

function thrownBy(body: () => unknown): StudyError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(StudyError);
    return error as StudyError;
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
    expect(study.model.pooling).toBe('mean');
    expect(study.sweep!.tolerance).toBe(0.01);
    expect(parseStudy(JSON.parse(JSON.stringify(study)), 'again')).toEqual(study);
  });

  it('reads a file that begins with a byte order mark, as editors on Windows write', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'lmd-study-')), 'study.json');
    writeFileSync(path, `\ufeff${JSON.stringify(smokeStudy)}`);
    expect(loadStudy(path)).toEqual(parseStudy(smokeStudy, path));
    rmSync(dirname(path), { recursive: true });
  });

  it.each([
    ['serch', {}, 'UNKNOWN_OPTION', 'serch is not a known key. Did you mean search? Allowed: name, title'],
    ['model.widht', 3, 'UNKNOWN_OPTION', 'model.widht is not a known key. Did you mean width?'],
    ['data.folder', 'x', 'UNKNOWN_OPTION', 'data.folder is not a known key. Allowed: kind, train, validation'],
    ['rules.0.search.learningRate.minimun', 1, 'UNKNOWN_OPTION', 'Did you mean minimum?'],
    [
      'data.kind',
      'cifar',
      'INVALID_ARGUMENT',
      'data.kind = "cifar" is not allowed. Allowed: fashion-mnist, synthetic.',
    ],
    ['rules.0.rule', 'adam', 'INVALID_ARGUMENT', 'Did you mean adamw?'],
    [
      'formats.1',
      'mxfp4',
      'INVALID_ARGUMENT',
      'formats.1 = "mxfp4" is not allowed. Did you mean mxfp4_e2m1? Allowed: fp32, bf16',
    ],
    ['search.trials', 0, 'INVALID_ARGUMENT', 'search.trials = 0 must be at least 1.'],
    ['search.trials', '3', 'INVALID_ARGUMENT', 'search.trials = "3" has the wrong type; expected: number.'],
    ['final.steps', undefined, 'INVALID_ARGUMENT', 'final.steps is missing; expected: number.'],
    ['final.seeds', [], 'INVALID_ARGUMENT', 'final.seeds = [] needs at least 1 entries.'],
    ['rules.0.search.learningRate.minimum', 1, 'INVALID_ARGUMENT', 'learningRate has its minimum above its maximum.'],
    ['rules.0.search.learningRate.minimum', 0, 'INVALID_ARGUMENT', 'a log scale, whose minimum must be above 0.'],
    ['rules.0.search.learningRate.choices', [1], 'INVALID_ARGUMENT', 'needs either minimum and maximum, or choices.'],
    ['rules.0.search', {}, 'INVALID_ARGUMENT', 'lacks learningRate'],
    ['rules.0.search.beta3', { choices: [0.5] }, 'UNKNOWN_OPTION', 'adamw has no option beta3. Did you mean beta1?'],
    ['rules.0.search.beta1', { choices: [0.5, 1] }, 'INVALID_ARGUMENT', 'beta1 is 1'],
    ['rules.1.options.noise', -1, 'INVALID_ARGUMENT', 'noise is -1'],
    ['rules.1.options.learningRate', 1, 'INVALID_ARGUMENT', 'is searched as well'],
    ['rules.1.name', 'adamw', 'INVALID_ARGUMENT', 'is there twice'],
    ['formats.1', 'fp32', 'INVALID_ARGUMENT', 'is there twice'],
    ['subject', 'ldm', 'INVALID_ARGUMENT', 'subject = "ldm" names no rule.'],
    ['ablation.rule', 'lmdd', 'INVALID_ARGUMENT', 'names no rule. Did you mean lmd?'],
    ['ablation.variants.0.options', { nois: 1 }, 'UNKNOWN_OPTION', 'lmd has no option nois. Did you mean noise?'],
    ['ablation.variants.0.factors', { nois: 2 }, 'INVALID_ARGUMENT', 'multiplies no number. Did you mean noise?'],
    ['ablation.variants.0.factors', { regularizer: 2 }, 'INVALID_ARGUMENT', 'multiplies no number.'],
    ['governs.variants.0.options', { adamw: { beta1: 2 } }, 'INVALID_ARGUMENT', 'beta1 is 2'],
    ['governs.variants.0.rules', ['lion'], 'INVALID_ARGUMENT', 'names no rule'],
  ])('refuses %s = %j', (path, value, code, text) => {
    const error = thrownBy(() => parseStudy(changed(path, value), 'study.json'));
    expect(error.code).toBe(code);
    expect(error.message).toContain('study.json');
    expect(error.message).toContain(text);
  });

  it('names every mistake at once', () => {
    const { message } = thrownBy(() => parseStudy({ ...smokeStudy, formats: [], batchSize: 0 }, 'study.json'));
    expect(message).toContain('wrong in 2 places');
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
    const { trials } = planStudy({ study, data: { kind: 'fashion-mnist', validation: 5000 }, results: new Map() });
    const seconds = trials.reduce((sum, { config }) => sum + workOf(config, study), 0) * study.budget.secondsPerStep;
    expect(seconds / 3600).toBeLessThan(study.budget.coreHours);
    for (const { part } of study.order) expect(trials.some((trial) => trial.part === part)).toBe(true);
  });
});

describe('the models of a study', () => {
  it.each([
    [{ model: { ...smokeStudy.model, patchSize: 3 } }, 'model.patchSize', 'must divide imageSize (8)'],
    [{ model: { ...smokeStudy.model, heads: 5 } }, 'model.heads', 'must divide width (32)'],
    [
      { governs: { ...smokeStudy.governs, variants: [{ name: 'odd', model: { patchSize: 5 } }] } },
      'governs.variants.0.model.patchSize',
      'must divide imageSize (8)',
    ],
  ])('are built before anything runs: %j', (changes, subject, message) => {
    const error = thrownBy(() => parseStudy({ ...smokeStudy, ...changes }, 'study'));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', subject });
    expect(error.message).toContain(message);
  });

  it('fit the 28 pixels of Fashion-MNIST', () => {
    const study = { ...smokeStudy, data: { kind: 'fashion-mnist' }, model: { ...smokeStudy.model, patchSize: 8 } };
    expect(thrownBy(() => parseStudy(study, 'study')).message).toContain('must divide imageSize (28)');
  });
});

describe('a study of any content', () => {
  it.each([
    { toString: 1 },
    { backend: { toString: 1 } },
    { data: { kind: { toString: 1 } } },
    { formats: [{ toString: 1 }] },
    { rules: [{ rule: { toString: null } }] },
    JSON.parse('{"__proto__": 1, "constructor": {}}'),
    { backend: 'x'.repeat(1e6) },
  ])('is a study or a typed error: %#', (changes) => {
    expect(thrownBy(() => parseStudy({ ...smokeStudy, ...changes }, 'study')).message.length).toBeLessThan(2000);
  });
});

describe('rules', () => {
  it.each(ruleNames)('%s takes each option that a study may set, and refuses another', (rule) => {
    const build = (options: Record<string, number>) => () =>
      createOptimizer({ rule, options, rest: { learningRate: 1 }, warmup: 0, steps: 1 });
    const needed = rule === 'ivon' ? { learningRate: 0.1, effectiveSampleSize: 10 } : { learningRate: 0.1 };
    expect(build(needed)).not.toThrow();
    for (const option of rules[rule].options) {
      // A wrong value shows that the rule knows the name: it complains about the value and not about the option.
      if (option === 'learningRate') continue;
      expect(build({ ...needed, [option]: Number.NaN }), option).toThrow(new RegExp(`${option} is`));
    }
    expect(build({ ...needed, nothing: 1 })).toThrow(/nothing/);
  });
});
