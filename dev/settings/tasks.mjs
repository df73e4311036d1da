import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashOf, resultsOf } from '@lmd/cli/experiment';

/** @typedef {import('@lmd/cli/experiment').TrialConfiguration} TrialConfiguration */
/** @typedef {import('@lmd/cli/experiment').PlannedTrial} PlannedTrial */
/** @typedef {import('@lmd/cli/experiment').LedgerRecord} LedgerRecord */

/** Configurations, ledgers and winners by task. */
export const settingsFolder = fileURLToPath(new URL('../../docs/settings', import.meta.url));

/** The tasks in the order of the page. */
export const tasks = ['digits', 'clothes', 'pictures', 'characters'];

/** Trials of each optimizer in the search of a task. */
export const searchTrials = 8;

/** The ranges of the search, as arguments of `lmd search --range`. */
export const ranges = [
  'lmd.learningRate=0.003..0.05',
  'lmd.regularization=0.1..1',
  'lmd.noise=0.01..0.2',
  'adamw.learningRate=0.001..0.03',
  'adamw.weightDecay=0.01..0.5',
];

/** Seeds of the final trials; the search uses seed 0. */
export const finalSeeds = [1, 2];

/** The file that a search starts from. */
export const configurationOf = (task) =>
  JSON.parse(readFileSync(join(settingsFolder, task, 'configuration.json'), 'utf8'));

const isSearch = ({ label }) => /^\w+ #\d+$/.test(label);

/**
 * The search trials of an optimizer, by validation loss, the lowest first.
 *
 * @param {readonly LedgerRecord[]} records
 * @param {string} optimizer
 */
export function searched(records, optimizer) {
  const loss = ({ result }) => (result.diverged ? Number.POSITIVE_INFINITY : result.loss);
  return records
    .filter((record) => isSearch(record) && record.label.startsWith(`${optimizer} `))
    .sort((a, b) => loss(a) - loss(b));
}

/** The searched options of an optimizer, in the order of the page. */
export function searchedOptions(optimizer) {
  return ranges.flatMap((range) => (range.startsWith(`${optimizer}.`) ? [range.split(/[.=]/)[1]] : []));
}

/** The configuration with the best settings of each optimizer. */
export function winningConfiguration(task, records) {
  const configuration = configurationOf(task);
  const optimizers = configuration.optimizers.map((optimizer) => {
    const [best] = searched(records, optimizer.name);
    const [settings] = best.configuration.optimizers;
    const found = searchedOptions(optimizer.name).map((option) => [option, settings[option]]);
    return { ...optimizer, ...Object.fromEntries(found) };
  });
  return { ...configuration, optimizers };
}

/** An optimizer with its defaults, and with its schedule and clipping. */
const defaultsOf = ({ name, rule, schedule, clipNorm }) => ({
  ...{ name, rule, schedule },
  ...(clipNorm === undefined ? {} : { clipNorm }),
});

/** What is compared on the test set: the winners, and the defaults of `lmd train` with the same schedule. */
export function contestants(task, records) {
  return winningConfiguration(task, records).optimizers.flatMap((optimizer) => {
    const { name } = optimizer;
    return [
      { label: `${name} found`, optimizer },
      { label: `${name} defaults`, optimizer: defaultsOf(optimizer) },
    ];
  });
}

const round = (value) => Number(value.toPrecision(3));

/** One change at a time of LMD's winner, in the order in which they run. */
export const changes = [
  { label: '`rest.learningRate` 0.001', of: (lmd) => ({ rest: { ...lmd.rest, learningRate: 0.001 } }) },
  { label: '`noise` 0', of: () => ({ noise: 0 }) },
  { label: '`regularization` / 3', of: (lmd) => ({ regularization: round(lmd.regularization / 3) }) },
  { label: '`regularization` × 3', of: (lmd) => ({ regularization: round(lmd.regularization * 3) }) },
  { label: '`samples` 2', of: () => ({ samples: 2 }) },
  { label: '`rest.learningRate` 0.02', of: (lmd) => ({ rest: { ...lmd.rest, learningRate: 0.02 } }) },
  { label: '`priorMedianFloor` 0.2', of: () => ({ priorMedianFloor: 0.2 }) },
  { label: '`priorMedianFloor` 0.8', of: () => ({ priorMedianFloor: 0.8 }) },
  { label: '`learningRate` / 3', of: (lmd) => ({ learningRate: round(lmd.learningRate / 3) }) },
  { label: '`learningRate` × 3', of: (lmd) => ({ learningRate: round(lmd.learningRate * 3) }) },
  { label: '`precision` fp32', of: () => ({ precision: 'fp32' }) },
  { label: '`precision` mxfp4_e2m1', of: () => ({ precision: 'mxfp4_e2m1' }) },
  { label: '`beta1` 0.5', of: () => ({ beta1: 0.5 }) },
  { label: '`beta2` 0.95', of: () => ({ beta2: 0.95 }) },
  { label: '`regularizer` powerPrior', of: () => ({ regularizer: 'powerPrior' }) },
  { label: '`regularizer` exponentialDivergence', of: () => ({ regularizer: 'exponentialDivergence' }) },
];

/** Longer runs of two tasks, with the defaults of LMD but the rate of `rest`. */
export const longer = { tasks: ['clothes', 'characters'], steps: 2000, rates: [0.001, 0.005, 0.02] };

/** @returns {PlannedTrial} */
function trial(task, optimizer, { seed, label, test, steps = configurationOf(task).steps }) {
  const { name: _, $schema: __, evaluation, checkpoints, ...rest } = configurationOf(task);
  const configuration = {
    ...rest,
    steps,
    seed,
    optimizers: [{ ...optimizer, name: 'trial' }],
    evaluation: { ...evaluation, every: steps, test },
    checkpoints: { ...checkpoints, every: steps },
    logging: [],
  };
  return {
    label: `${label}, seed ${seed}`,
    hash: hashOf(configuration),
    configuration,
    optimizer: optimizer.name,
    options: {},
    steps: configuration.steps,
    split: test ? 'test' : 'validation',
  };
}

/** The trials of the winners and the defaults, tested once each. */
export function finalTrials(task, records) {
  return finalSeeds.flatMap((seed) =>
    contestants(task, records).map(({ label, optimizer }) => trial(task, optimizer, { seed, label, test: true })),
  );
}

/** The trials that change one option of LMD's winner, on validation data. */
export function changeTrials(task, records) {
  const lmd = winningConfiguration(task, records).optimizers.find(({ name }) => name === 'lmd');
  return changes.map(({ label, of }) =>
    trial(task, { ...lmd, ...of(lmd) }, { seed: finalSeeds[0], label, test: false }),
  );
}

/** The trials of a task that compare rates of `rest` in longer runs, on validation data; none of other tasks. */
export function longerTrials(task) {
  if (!longer.tasks.includes(task)) return [];
  const { steps, rates } = longer;
  const lmd = configurationOf(task).optimizers.find(({ name }) => name === 'lmd');
  const defaults = defaultsOf({ ...lmd, schedule: { ...lmd.schedule, warmup: steps / 20 } });
  return rates.map((learningRate) =>
    trial(
      task,
      { ...defaults, rest: { learningRate } },
      { seed: finalSeeds[0], label: `\`rest.learningRate\` ${learningRate}, ${steps} steps`, test: false, steps },
    ),
  );
}

/** The result of a planned trial; undefined if it is not in the ledger. */
export function resultOf(records, { hash }) {
  return resultsOf(records).get(hash);
}
