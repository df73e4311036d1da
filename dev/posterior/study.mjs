/**
 * npm run posterior [-- --data <folder>] [--only <method>] [--repeat <label>]: the study of predictions. Searches each
 * method on validation data, trains it with three seeds, and scores its predictions on Fashion-MNIST's test set, with
 * MNIST's as other data. What is finished stands in runs/posterior/records.jsonl, and is not done again; Ctrl-C is
 * safe. `--write` takes the records to docs/studies/posterior and writes its report. `--repeat` does one of them again,
 * and compares it to the bit.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { samplePoints } from '@lmd/cli/experiment';
import { createOperations, messageOf } from '@lmd/core';
import { mnistNormalization } from '@lmd/data/images';
import { mnistPackageFolder, readMnistFolder } from '@lmd/data/node';
import { split, subset } from '@lmd/training';
import { interruptSignal } from '@lmd/training/node';
import { root } from '../../scripts/lib.mjs';
import { occasion } from '../bench/lib/page.mjs';
import { methods, trainOne } from './methods.mjs';
import { recordsFile, write } from './page.mjs';
import { appendRecord, readRecords } from './records.mjs';
import { scoresOf } from './scores.mjs';

const sizes = { points: 4, searchSteps: 500, steps: 1500, seeds: [1, 2, 3], validation: 5000 };

const folder = join(root, 'runs', 'posterior');
const { signal } = interruptSignal();
let status = '';

const first = (count) => Int32Array.from({ length: count }, (_, index) => index);
const ownRecords = join(folder, 'records.jsonl');

try {
  const values = given();
  if (values.write) await write(ownRecords);
  else await run(values);
} catch (error) {
  console.error(`error ${messageOf(error)}`);
  process.exitCode = 1;
}

/** The options of the command. Words that it does not know are errors. */
function given() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '/usr/share/datasets/fashion-mnist' },
      only: { type: 'string' },
      repeat: { type: 'string' },
      write: { type: 'boolean' },
    },
  });
  if (values.only !== undefined && !Object.hasOwn(methods, values.only)) {
    throw new Error(`--only ${values.only} is not a method. Use one of ${Object.keys(methods).join(', ')}.`);
  }
  return values;
}

async function run(values) {
  const again = values.repeat === undefined ? undefined : recordOf(values.repeat);
  const backend = await createCpuBackend();
  const ops = createOperations(backend);
  const data = await readData(values.data);
  mkdirSync(folder, { recursive: true });
  const wanted = Object.keys(methods).filter((name) => values.only === undefined || name === values.only);
  try {
    if (again !== undefined) await repeat(ops, data, again);
    else for (const name of wanted) await runMethod(ops, data, name);
  } finally {
    backend.close?.();
  }
}

async function readData(folder) {
  const clothes = await readMnistFolder({
    ...{ folder, name: 'fashion-mnist', ...mnistNormalization['fashion-mnist'] },
  });
  const { train, validation } = split(clothes.train, { validation: sizes.validation, seed: 0 });
  // Digits as the network of clothes sees them: with the normalization of clothes.
  const digits = await readMnistFolder({
    ...{ folder: mnistPackageFolder('npm install'), name: 'mnist', ...mnistNormalization['fashion-mnist'] },
  });
  return { train, validation: subset(validation, first(2000)), test: clothes.test, other: digits.test };
}

/** Does what a label names unless its record exists, and appends the record. */
async function once(label, compute) {
  const found = readRecords(ownRecords).find((record) => record.label === label);
  if (found !== undefined) return found;
  const began = performance.now();
  const result = await compute();
  const { date, machine } = occasion();
  const record = { label, ...result, seconds: Math.round((performance.now() - began) / 1000), date, machine };
  appendRecord(ownRecords, record);
  return record;
}

async function runMethod(ops, data, name) {
  const method = methods[name];
  const points = samplePoints(method.search, sizes.points, 0, name === 'ensemble' ? 'adamw' : name);
  const trials = [];
  for (const [index, searched] of points.entries()) {
    const label = `search ${name === 'ensemble' ? 'adamw' : name} #${index + 1}`;
    trials.push(await once(label, () => searchTrial(ops, data, method, searched, label)));
  }
  const best = trials.reduce((a, b) => (b.validation.loss < a.validation.loss ? b : a));
  for (const seed of sizes.seeds) {
    await once(`final ${name} seed ${seed}`, () => finalTrial(ops, data, name, best.searched, seed));
  }
}

async function searchTrial(ops, data, method, searched, label) {
  const [state] = await trainAll(ops, data, method, searched, sizes.searchSteps, [0], label);
  const kind = { draws: 1, weights: /** @type {const} */ ('mean') };
  const { averages } = await scoresOf(ops, method, { states: [state], searched }, kind, data.validation);
  ops.dispose(state.tensors);
  const { loss, accuracy } = averages[0];
  return { searched, validation: { loss, accuracy } };
}

async function finalTrial(ops, data, name, searched, seed) {
  const method = methods[name];
  const { members = 1 } = method;
  // The members of an ensemble have seeds of their own.
  const seeds = Array.from({ length: members }, (_, member) => (members === 1 ? seed : 100 * seed + member));
  const states = await trainAll(ops, data, method, searched, sizes.steps, seeds, `final ${name} seed ${seed}`);
  const scored = async (kind) => {
    const trained = { states, searched };
    const { temperature } = await scoresOf(ops, method, trained, kind, data.validation, { fitTemperature: true });
    return scoresOf(ops, method, trained, kind, data.test, { temperature, other: data.other });
  };
  const mean = await scored({ draws: 1, weights: 'mean' });
  const drawn = method.draws === 1 ? undefined : await scored({ draws: method.draws, weights: 'sample' });
  for (const state of states) ops.dispose(state.tensors);
  return { method: name, seed, searched, mean, ...(drawn === undefined ? {} : { drawn }) };
}

/** Trains one network for each seed, and returns the states of the optimizer, owned by the caller. */
async function trainAll(ops, data, method, searched, steps, seeds, label) {
  const states = [];
  for (const [index, seed] of seeds.entries()) {
    const work = join(folder, 'work', `${label.replaceAll(/[ #]+/g, '-')}-${seed}`);
    const began = performance.now();
    const onStep = (step) => {
      const left = (((performance.now() - began) / step) * (steps - step)) / 1000;
      say(`${label}${seeds.length > 1 ? ` (${index + 1} of ${seeds.length})` : ''}: ${step} of ${steps}`, left);
    };
    const result = await trainOne({ ops, method, searched, steps, seed, data, folder: work, signal, onStep });
    if (result.status === 'interrupted') {
      process.stderr.write('\nStopped. The same command goes on from here.\n');
      process.exit(130);
    }
    ops.dispose(result.weights);
    states.push(result.state);
    rmSync(work, { recursive: true, force: true });
  }
  return states;
}

function say(what, secondsLeft) {
  const text = `${what}, ${Math.ceil(secondsLeft)} s left`;
  if (process.stderr.isTTY) process.stderr.write(`\r${text.padEnd(status.length)}`);
  else if (status.split(':')[0] !== text.split(':')[0]) process.stderr.write(`${text.split(':')[0]}\n`);
  status = text;
}

/** The record of a label: that of the published study, or else of an own run. */
function recordOf(label) {
  const records = readRecords(existsSync(recordsFile) ? recordsFile : ownRecords);
  const record = records.find((candidate) => candidate.label === label);
  if (record !== undefined) return record;
  const labels = records.map((candidate) => `"${candidate.label}"`).join(', ');
  throw new Error(`--repeat "${label}" is not a record. ${labels === '' ? 'There is none.' : `Use one of ${labels}.`}`);
}

/** Does one recorded trial again. */
async function repeat(ops, data, record) {
  const { label } = record;
  const { date: _, machine: __, seconds: ___, label: ____, ...expected } = record;
  const again = label.startsWith('search')
    ? await searchTrial(ops, data, methods[label.split(' ')[1]], record.searched, label)
    : await finalTrial(ops, data, record.method, record.searched, record.seed);
  const same = isDeepStrictEqual(JSON.parse(JSON.stringify(again)), expected);
  console.log(same ? `${label}: the same numbers.` : `${label}: other numbers.`);
  if (!same) process.exitCode = 1;
}
