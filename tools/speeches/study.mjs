import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { StudyError } from './errors.mjs';

const count = (value) => Number.isInteger(value) && value > 0;
const text = (value) => typeof value === 'string' && value !== '';
const number = (value) => Number.isFinite(value);
const listOf = (is) => (value) => Array.isArray(value) && value.length > 0 && value.every(is);
const assignments = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const schedule = { steps: count, warmup: Number.isInteger, evaluateEvery: count, checkpointEvery: count, keep: count };

/** What a study file holds: a test of each key, an object of them, or a list of one kind of object. A key with `?` may be left out. */
const shape = {
  name: text,
  title: text,
  preset: text,
  backend: text,
  data: { source: text, 'separator?': text, tokenizer: text, validation: number, seed: Number.isInteger },
  set: assignments,
  rules: [
    {
      ...{ rule: text, title: text, format: text, 'set?': assignments },
      learningRates: listOf((rate) => number(rate) && rate > 0),
    },
  ],
  // Without `speed` where the machine had other work to do.
  'comparison?': { baseline: text, candidate: text, withinPercent: number, 'speed?': (value) => value === false },
  'search?': { ...schedule, scoreAt: count },
  final: schedule,
  deploy: listOf(text),
  samples: {
    ...{ prompts: listOf(text), maxTokens: count, temperature: number, seed: Number.isInteger },
    ...{ 'topK?': count, 'topP?': number, 'repetitionPenalty?': number },
  },
};

function check(value, expected, path, file) {
  const wrong = (what) => new StudyError(`${file}: ${path === '' ? 'the file' : path} ${what}.`, 2);
  if (typeof expected === 'function') {
    if (!expected(value)) throw wrong(`= ${JSON.stringify(value)} is not allowed`);
    return;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length === 0) throw wrong('must be a list');
    for (const [index, entry] of value.entries()) check(entry, expected[0], `${path}[${index}]`, file);
    return;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('must be an object');
  const keys = Object.keys(expected).map((key) => ({ key: key.replace('?', ''), optional: key.endsWith('?') }));
  const unknown = Object.keys(value).find((name) => !keys.some(({ key }) => key === name));
  if (unknown !== undefined)
    throw wrong(`has an unknown key ${unknown}; there are: ${keys.map(({ key }) => key).join(', ')}`);
  for (const { key, optional } of keys) {
    if (value[key] === undefined && optional) continue;
    if (value[key] === undefined) throw wrong(`lacks ${key}`);
    check(value[key], expected[optional ? `${key}?` : key], path === '' ? key : `${path}.${key}`, file);
  }
}

/** Reads and checks a study file. A source of text other than `sotu` is relative to it. */
export function loadStudy(file) {
  let study;
  try {
    study = JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new StudyError(`${file} is no readable JSON file: ${cause.message}.`, 2);
  }
  check(study, shape, '', file);
  checkComparison(study, file);
  checkSearch(study, file);
  const { source } = study.data;
  const data = source === 'sotu' ? study.data : { ...study.data, source: resolve(dirname(file), source) };
  return { ...study, data, file: basename(file) };
}

function checkComparison({ comparison, rules }, file) {
  if (comparison === undefined) return;
  for (const name of [comparison.baseline, comparison.candidate]) {
    if (!rules.some(({ rule }) => rule === name)) throw new StudyError(`${file}: there is no rule ${name}.`, 2);
  }
}

function checkSearch({ search, rules }, file) {
  if (search === undefined) {
    const open = rules.find(({ learningRates }) => learningRates.length > 1);
    if (open === undefined) return;
    throw new StudyError(`${file}: ${open.rule} has several learning rates, and no search chooses one.`, 2);
  }
  const { scoreAt, steps, evaluateEvery } = search;
  if (scoreAt > steps || (scoreAt !== steps && scoreAt % evaluateEvery !== 0)) {
    throw new StudyError(`${file}: search.scoreAt = ${scoreAt} is no step at which a run is evaluated.`, 2);
  }
}

/** 0.0015 as 1.5e-3. */
export const rateText = (rate) => rate.toExponential().replace('e+', 'e');

/** One run of `lmd train`: its folder's name and the assignments that make it of the preset. */
function runOf(study, part, { rule, title, format, set = {} }, learningRate) {
  const { steps, warmup, evaluateEvery, checkpointEvery, keep } = study[part];
  return {
    name: `${part}-${rule}-${rateText(learningRate)}`,
    part,
    rule,
    title,
    format,
    learningRate,
    steps,
    scoreAt: part === 'search' ? study.search.scoreAt : undefined,
    assignments: {
      ...study.set,
      ...Object.fromEntries(Object.entries(set).map(([key, value]) => [`optimizers.${rule}.${key}`, value])),
      steps,
      precision: format,
      [`optimizers.${rule}.precision`]: format,
      [`optimizers.${rule}.learningRate`]: learningRate,
      [`optimizers.${rule}.schedule.warmup`]: warmup,
      'evaluation.every': evaluateEvery,
      'checkpoints.every': checkpointEvery,
      'checkpoints.keep': keep,
    },
  };
}

/** The runs of the search, where the study has one: each rule at each of its learning rates. */
export const searchRuns = (study) =>
  study.search === undefined
    ? []
    : study.rules.flatMap((rule) => rule.learningRates.map((rate) => runOf(study, 'search', rule, rate)));

/** The run of a rule at a learning rate: the one that the search found best, or its only one. */
export const finalRun = (study, rule, learningRate) =>
  runOf(
    study,
    'final',
    study.rules.find((entry) => entry.rule === rule),
    learningRate,
  );
