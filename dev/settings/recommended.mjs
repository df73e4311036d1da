import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { presets } from '@lmd/cli';
import { lmdOptionTable } from '@lmd/core';
import { tableOf } from '../bench/lib/table.mjs';
import { changes, changeTrials, configurationOf, finalTrials, resultOf, searched } from './tasks.mjs';

const studies = fileURLToPath(new URL('../../docs/studies', import.meta.url));

/** Tasks that share a row of the table, by the name of their settings in the presets. */
export const groups = { images: ['digits', 'clothes', 'pictures'], characters: ['characters'] };

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value, digits) => Number(value.toPrecision(digits));
const lossOf = ({ diverged, loss }) => (diverged || loss === null ? Number.POSITIVE_INFINITY : loss);

/** The change of the validation loss of each task of a group by one change of LMD's winner, with one seed. */
function effects(label, of, ledgers) {
  const index = changes.findIndex((change) => change.label === label);
  return of.map((task) => {
    const records = ledgers[task];
    const before = resultOf(records, finalTrials(task, records)[0]).validation.at(-1)[1];
    return lossOf(resultOf(records, changeTrials(task, records)[index])) - before;
  });
}

/**
 * @typedef {object} LmdSettings
 * @property {number} learningRate
 * @property {number} regularization
 * @property {number} noise
 * @property {number} [priorMedianFloor]
 * @property {{ learningRate: number }} rest
 */

/**
 * The settings of LMD for a group of tasks: of the points of the search, which are the same for every task, that with
 * the lowest mean distance from the best of each task, to one digit; and the rate of `rest` with the lowest mean
 * validation loss of those that were measured.
 */
export function recommended(group, ledgers) {
  const of = groups[group];
  const [best] = searched(ledgers[of[0]], 'lmd')
    .map(({ label, configuration }) => {
      const distances = of.map((task) => {
        const { result } = ledgers[task].find((record) => record.label === label);
        return lossOf(result) - searched(ledgers[task], 'lmd')[0].result.loss;
      });
      const settings = /** @type {LmdSettings} */ (configuration.optimizers[0]);
      return { settings, distance: mean(distances) };
    })
    .sort((a, b) => a.distance - b.distance);
  const { learningRate, regularization, noise, rest } = best.settings;
  const rates = [
    { rate: rest.learningRate, effect: 0 },
    ...[0.001, 0.02].map((rate) => ({ rate, effect: mean(effects(`\`rest.learningRate\` ${rate}`, of, ledgers)) })),
  ].sort((a, b) => a.effect - b.effect);
  return {
    learningRate: rounded(learningRate, 1),
    regularization: rounded(regularization, 1),
    noise: rounded(noise, 1),
    rest: { learningRate: rates[0].rate },
  };
}

/** LMD's settings in the final trials of the study on Fashion-MNIST, and their number of steps. */
function fashionMnist() {
  const lines = gunzipSync(readFileSync(join(studies, 'fashion-mnist', 'ledger.jsonl.gz')))
    .toString()
    .trim();
  const { config } = lines
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(({ label }) => label.startsWith('final lmd'));
  const settings = Object.entries(config.options).map(([name, value]) => [name, rounded(value, 2)]);
  return { steps: config.steps, settings: { ...Object.fromEntries(settings), rest: config.rest } };
}

/** LMD's settings in the study on the speeches: those of its results, on top of the preset that it names. */
function speeches() {
  const { settings, rules, final } = JSON.parse(
    readFileSync(join(studies, 'speeches-retuned', 'results.json'), 'utf8'),
  );
  const { name: _, ...preset } = presets[settings.parametersOf].optimizers.find(({ rule }) => rule === 'lmd');
  const { learningRate } = final.find(({ rule }) => rule === 'lmd');
  const { set } = rules.find(({ rule }) => rule === 'lmd');
  return { steps: settings.finalSteps, settings: { ...preset, ...set, learningRate } };
}

function range(of) {
  const steps = of.map((task) => configurationOf(task).steps).sort((a, b) => a - b);
  return steps[0] === steps.at(-1) ? String(steps[0]) : `${steps[0]} to ${steps.at(-1)}`;
}

/** The table of what to try first. */
export function recommendedTable(ledgers) {
  /** @param {LmdSettings} settings */
  const cells = ({ learningRate, regularization, noise, priorMedianFloor, rest }) => {
    const floor = priorMedianFloor ?? lmdOptionTable.priorMedianFloor.default;
    return [learningRate, regularization, noise, floor, rest.learningRate];
  };
  const searchedRow = (what, group) => {
    const names = group === 'images' ? ` (${groups[group].join(', ')})` : '';
    return [`${what}, ${range(groups[group])} steps${names}`, ...cells(recommended(group, ledgers))];
  };
  const studyRow = (what, name, { steps, settings }) => [
    `${what}, ${steps.toLocaleString('en')} steps (${name})`,
    ...cells(settings),
  ];
  const titles = ['learningRate', 'regularization', 'noise', 'priorMedianFloor', 'rest.learningRate'];
  return tableOf(
    ['data and length', ...titles.map((title) => `>\`${title}\``)],
    [
      searchedRow('images', 'images'),
      studyRow('images', 'fashion-mnist', fashionMnist()),
      searchedRow('characters', 'characters'),
      studyRow('words', 'speeches-retuned', speeches()),
    ],
  );
}

/** The changes by a factor of three that lowered the loss of every task of a group. */
export function furtherChanges(ledgers) {
  const factors = [
    ['`learningRate` × 3', 'three times the `learningRate`'],
    ['`learningRate` / 3', 'a third of the `learningRate`'],
    ['`regularization` × 3', 'three times the `regularization`'],
    ['`regularization` / 3', 'a third of the `regularization`'],
  ];
  const sentences = Object.entries(groups).map(([group, of]) => {
    const lower = factors.filter(([label]) => effects(label, of, ledgers).every((effect) => effect < 0));
    const shown = lower.map(([, words]) => words).join(' and, separately, ');
    return shown === ''
      ? `on ${group}, none lowered the validation loss of every task`
      : `on ${group}, ${shown} lowered it, with one seed`;
  });
  return `Of the changes by a factor of three that were measured: ${sentences.join('; ')}.`;
}
