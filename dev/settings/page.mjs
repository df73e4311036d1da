import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLedger } from '@lmd/cli/experiment';
import { withMarked, wrapped } from '../bench/lib/marked.mjs';
import { writeAtomically } from '../bench/lib/page.mjs';
import { tableOf } from '../bench/lib/table.mjs';
import { furtherChanges, recommendedTable } from './recommended.mjs';
import {
  changes,
  changeTrials,
  configurationOf,
  contestants,
  finalSeeds,
  finalTrials,
  longer,
  longerTrials,
  ranges,
  resultOf,
  searched,
  searchedOptions,
  settingsFolder,
  tasks,
  winningConfiguration,
} from './tasks.mjs';

export const page = fileURLToPath(new URL('../../docs/choosing-settings.md', import.meta.url));

/** The ledgers of all tasks. */
export async function readLedgers() {
  const ledgers = tasks.map(async (task) => [task, (await readLedger(join(settingsFolder, task))).records]);
  return Object.fromEntries(await Promise.all(ledgers));
}

const percent = (fraction) => `${(100 * fraction).toFixed(2)} %`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const names = { lmd: 'LMD', adamw: 'AdamW' };
const optimizers = ['lmd', 'adamw'];

/** When, where and with how many seeds. */
function occasion(ledgers) {
  const records = Object.values(ledgers).flat();
  const distinct = (of) => [...new Set(records.map(of))].sort();
  const dates = distinct(({ date }) => date.slice(0, 10));
  const trials = records.length;
  const hours = records.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return wrapped(
    `${trials} trials on ${dates.join(' and ')}; ${distinct(({ machine }) => machine).join('; ')}; ` +
      `Node ${distinct(({ node }) => node).join(', ')}; ${distinct(({ result }) => result.device).join('; ')}. ` +
      `The search has seed 0, the other trials have ${finalSeeds.length === 1 ? 'seed' : 'seeds'} ` +
      `${finalSeeds.join(' and ')}. One thread per trial, ${hours.toFixed(1)} hours in all on a machine with other ` +
      'work, so its times mean nothing.',
  );
}

/** What each task trains. */
function taskTable(ledgers) {
  const rows = tasks.map((task) => {
    const { steps, batchSize, model, precision } = configurationOf(task);
    const [{ result }] = ledgers[task];
    const network = `${model.kind === 'vit' ? 'ViT' : 'GPT-2'} ${model.width} wide, ${model.depth} deep`;
    return [task, result.data, network, result.parameters.toLocaleString('en'), steps, batchSize, precision];
  });
  return tableOf(['task', 'data', 'model', '>parameters', '>steps', '>batch', 'format'], rows);
}

function foundTable(ledgers) {
  const rows = tasks.flatMap((task) =>
    optimizers.map((name) => {
      const trials = searched(ledgers[task], name);
      const [{ configuration, result }] = trials;
      const [settings] = configuration.optimizers;
      const shown = searchedOptions(name).map((option) => `\`${option}\` ${settings[option]}`);
      const finite = trials.filter((trial) => !trial.result.diverged);
      // Of an even number the upper of the middle two, as in the report of the search.
      const median = finite[Math.floor(finite.length / 2)].result.loss;
      return [task, names[name], shown.join(', '), result.loss.toFixed(3), median.toFixed(3), trials.length];
    }),
  );
  return tableOf(['task', 'optimizer', 'best settings', '>validation loss', '>median loss', '>trials'], rows);
}

/** The test losses of the seeds, by the label of a contestant. */
function testResults(ledgers, task, label) {
  return finalTrials(task, ledgers[task])
    .filter((trial) => trial.label.startsWith(`${label},`))
    .map((trial) => resultOf(ledgers[task], trial));
}

/** Who is ahead, with the mean test losses. */
function verdict(ledgers) {
  const lossOf = (task, label) => mean(testResults(ledgers, task, label).map(({ loss }) => loss));
  const list = (of, kind) => {
    const shown = of.map(
      (task) => `${task} (${lossOf(task, `lmd ${kind}`).toFixed(3)} and ${lossOf(task, `adamw ${kind}`).toFixed(3)})`,
    );
    return shown.length === 0 ? 'no task' : shown.join(', ');
  };
  const sentences = ['found', 'defaults'].map((kind) => {
    const [ahead, behind] = [true, false].map((wanted) =>
      tasks.filter((task) => lossOf(task, `lmd ${kind}`) < lossOf(task, `adamw ${kind}`) === wanted),
    );
    const settings = kind === 'found' ? 'With the settings found' : 'With the defaults of both';
    return `${settings}, LMD has the lower test loss on ${list(ahead, kind)} and the higher on ${list(behind, kind)}.`;
  });
  const gains = tasks.map(
    (task) => `${lossOf(task, 'lmd defaults').toFixed(3)} to ${lossOf(task, 'lmd found').toFixed(3)} on ${task}`,
  );
  const gain = `The search changed LMD's test loss from ${gains.join(', ')}.`;
  return [...sentences, gain].map(wrapped).join('\n\n');
}

/** Test losses of the winners and the defaults: mean, and the value of each seed. */
function finalTable(ledgers) {
  const rows = tasks.flatMap((task) => {
    return contestants(task, ledgers[task]).map(({ label }) => {
      const results = testResults(ledgers, task, label);
      const [name, kind] = label.split(' ');
      const losses = results.map(({ loss }) => loss);
      return [
        task,
        `${names[name]}, ${kind}`,
        mean(losses).toFixed(3),
        losses.map((loss) => loss.toFixed(3)).join(', '),
        percent(mean(results.map(({ accuracy }) => accuracy))),
      ];
    });
  });
  return tableOf(['task', 'settings', '>test loss', '>each seed', '>accuracy'], rows);
}

/** The loss on validation data after the last step. */
const validationLoss = ({ validation }) => validation.at(-1)[1];

function changeTable(ledgers) {
  const [base, ...rows] = [undefined, ...changes.keys()].map((index) =>
    tasks.map((task) => {
      const records = ledgers[task];
      const before = validationLoss(resultOf(records, finalTrials(task, records)[0]));
      if (index === undefined) return before.toFixed(3);
      const result = resultOf(records, changeTrials(task, records)[index]);
      if (result === undefined) return undefined;
      if (result.loss === null) return 'diverged';
      const change = result.loss - before;
      return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(3)}`;
    }),
  );
  const measured = rows.flatMap((cells, index) =>
    cells.every((cell) => cell === undefined) ? [] : [[changes[index].label, ...cells.map((cell) => cell ?? '')]],
  );
  return tableOf(['change', ...tasks.map((task) => `>${task}`)], [['none: validation loss', ...base], ...measured]);
}

/** Validation losses of longer runs, a row for each rate of `rest`. */
function longerTable(ledgers) {
  const rows = longer.rates.map((rate, index) => [
    rate,
    ...longer.tasks.map((task) => validationLoss(resultOf(ledgers[task], longerTrials(task)[index])).toFixed(3)),
  ]);
  return tableOf(['>`rest.learningRate`', ...longer.tasks.map((task) => `>${task}`)], rows);
}

/**
 * The trials of the search, a row for each point, which is the same for every task: validation losses, and their mean
 * distance from the lowest of the task by the same optimizer.
 */
function trialTable(ledgers, name) {
  const options = searchedOptions(name);
  const points = searched(ledgers[tasks[0]], name).map(({ label, configuration }) => {
    const losses = tasks.map((task) => {
      const { result } = ledgers[task].find((record) => record.label === label);
      return result.diverged ? Number.POSITIVE_INFINITY : result.loss;
    });
    const distances = losses.map((loss, index) => loss - searched(ledgers[tasks[index]], name)[0].result.loss);
    return { settings: configuration.optimizers[0], losses, distance: mean(distances) };
  });
  const show = (loss) => (Number.isFinite(loss) ? loss.toFixed(3) : 'diverged');
  const rows = points
    .sort((a, b) => a.distance - b.distance)
    .map(({ settings, losses, distance }) => [
      ...options.map((option) => settings[option]),
      ...losses.map(show),
      show(distance),
    ]);
  const titles = [...options.map((option) => `\`${option}\``), ...tasks, 'mean distance'];
  return tableOf(
    titles.map((title) => `>${title}`),
    rows,
  );
}

function rangeTable() {
  const rows = ranges.map((range) => {
    const [, name, option, low, high] = /^(\w+)\.(\w+)=(.+)\.\.(.+)$/.exec(range);
    return [names[name], `\`${option}\``, low, high];
  });
  return tableOf(['optimizer', 'setting', '>from', '>to'], rows);
}

/** The page with its tables written from the ledgers. */
export function composePage(text, ledgers) {
  const parts = {
    verdict: verdict(ledgers),
    recommended: `${recommendedTable(ledgers)}\n\n${wrapped(furtherChanges(ledgers))}`,
    occasion: occasion(ledgers),
    tasks: taskTable(ledgers),
    ranges: rangeTable(),
    found: foundTable(ledgers),
    finals: finalTable(ledgers),
    changes: changeTable(ledgers),
    longer: longerTable(ledgers),
    'lmd-trials': trialTable(ledgers, 'lmd'),
    'adamw-trials': trialTable(ledgers, 'adamw'),
  };
  return Object.entries(parts).reduce((page, [name, contents]) => withMarked(page, name, contents), text);
}

export async function writePage() {
  writeAtomically(page, composePage(readFileSync(page, 'utf8'), await readLedgers()));
}

/** The winners as `docs/settings/<task>/best.json` has them. */
export function bestJson(task, records) {
  return `${JSON.stringify(winningConfiguration(task, records), null, 2)}\n`;
}
