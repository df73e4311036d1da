/**
 * node dev/votes/simulate.mjs: simulates sign votes of up to 1,024 workers in one process, beside AdamW with averaged
 * gradients, computes the bytes of GPT-2 1.5B on 64 machines, and prints the tables. With --write, it replaces those of
 * docs/distributed.md.
 *
 * The votes are packed and counted by @lmd/distributed; the model is small enough that nothing else takes time:
 * logistic regression with the rule of `lmd` with `gradientScaling: 'none'`, without noise and regularization. All
 * random numbers are those of @lmd/core, so the tables are the same on every machine, up to the rounding of exp and
 * log.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fillRandomNormal, fillRandomUniform, streamOf } from '@lmd/core';
import { majority, packSigns, wordsOf } from '@lmd/distributed';
import { markdownTable } from 'markdown-table';
import { withMarked } from '../bench/lib/marked.mjs';

const features = 128;
const steps = 150;
const examplesPerWorker = 2;
const testExamples = 2000;
const [beta1, beta2] = [0.9, 0.99];
/** As many rates for each, of which the one with the lowest loss on validation examples counts. */
const rates = { votes: [0.01, 0.02, 0.04], averages: [0.01, 0.03, 0.1] };
const seed = 1;

function normals(count, stream, step = 0, sample = 0) {
  const values = new Float32Array(count);
  fillRandomNormal(values, { seed, stream: streamOf(stream), step, sample });
  return values;
}

function uniforms(count, stream, step = 0, sample = 0) {
  const values = new Float32Array(count);
  fillRandomUniform(values, { seed, stream: streamOf(stream), step, sample });
  return values;
}

const truth = normals(features, 'truth').map((value) => value / Math.sqrt(features));
const dot = (x, w, at) => {
  let sum = 0;
  for (let index = 0; index < features; index++) sum += x[at + index] * w[index];
  return sum;
};
/** Labels −1 and 1, of which the truth gives most. */
const labelOf = (x, at, noise) => Math.sign(3 * dot(x, truth, at) + noise);
const examplesOf = (name) => ({
  x: normals(testExamples * features, name),
  noise: normals(testExamples, `${name}-noise`),
});
const [validation, test] = [examplesOf('validation'), examplesOf('test')];

/**
 * Each says, for a step, which workers vote, given a uniform number of each, and what becomes of their signs.
 *
 * @typedef {object} Scenario
 * @property {(rank: number, chance: Float32Array) => boolean} [votes]
 * @property {(rank: number, own: Float32Array, step: number) => Float32Array} [signs]
 */
/** @type {Record<string, Scenario>} */
const scenarios = {
  'all vote': {},
  'a quarter is always late': { votes: (rank) => rank % 4 !== 3 },
  '30 % of votes are lost': { votes: (rank, chance) => chance[rank] >= 0.3 },
  'a quarter votes at random': {
    signs: (rank, own, step) => (rank % 4 === 3 ? normals(features, 'votes', step, rank) : own),
  },
  'a quarter votes against': { signs: (rank, own) => (rank % 4 === 3 ? own.map((sign) => -sign) : own) },
  '3 of 8 vote against': { signs: (rank, own) => ([3, 5, 7].includes(rank % 8) ? own.map((sign) => -sign) : own) },
};

/** The mean loss on validation or test examples. */
function lossOn({ x, noise }, weights) {
  let loss = 0;
  for (let example = 0; example < testExamples; example++) {
    const label = labelOf(x, example * features, noise[example]);
    loss += Math.log1p(Math.exp(-label * dot(x, weights, example * features)));
  }
  return loss / testExamples;
}

/** The gradient of a worker's own examples of a step. */
function gradientOf(w, step, rank) {
  const x = normals(examplesPerWorker * features, 'inputs', step, rank);
  const noise = normals(examplesPerWorker, 'noise', step, rank);
  const gradient = new Float32Array(features);
  for (let example = 0; example < examplesPerWorker; example++) {
    const at = example * features;
    const label = labelOf(x, at, noise[example]);
    const slope = -label / (1 + Math.exp(label * dot(x, w, at))) / examplesPerWorker;
    for (let index = 0; index < features; index++) gradient[index] += slope * x[at + index];
  }
  return gradient;
}

/**
 * The weights that workers find by votes.
 *
 * @param {number} workers
 * @param {number} learningRate
 * @param {Scenario} scenario
 */
function byVotes(workers, learningRate, { votes = () => true, signs = (_, own) => own } = {}) {
  const [logPlus, logMinus] = [0, 1].map(() => new Float64Array(features).fill(Math.log(0.05)));
  const momenta = Array.from({ length: workers }, () => new Float32Array(features));
  const weights = () => Float64Array.from(logPlus, (log, index) => Math.exp(log) - Math.exp(logMinus[index]));
  for (let step = 0; step < steps; step++) {
    const w = weights();
    const chance = uniforms(workers, 'lost', step);
    const ballots = [];
    for (let rank = 0; rank < workers; rank++) {
      const gradient = gradientOf(w, step, rank);
      const momentum = momenta[rank];
      const own = momentum.map((v, index) => Math.sign(beta1 * v + (1 - beta1) * gradient[index]));
      momenta[rank] = momentum.map((v, index) => beta2 * v + (1 - beta2) * gradient[index]);
      if (votes(rank, chance)) ballots.push({ up: packSigns(signs(rank, own, step), { step, rank }) });
    }
    majority(ballots, features).forEach((direction, index) => {
      logPlus[index] -= learningRate * direction;
      logMinus[index] += learningRate * direction;
    });
  }
  return weights();
}

/**
 * The weights that workers find with AdamW, without weight decay, and averaged gradients.
 *
 * @param {number} workers
 * @param {number} learningRate
 * @param {number} count of steps
 */
function byAverages(workers, learningRate, count) {
  const [w, first, second] = [0, 1, 2].map(() => new Float64Array(features));
  for (let step = 0; step < count; step++) {
    const mean = new Float64Array(features);
    for (let rank = 0; rank < workers; rank++) {
      gradientOf(w, step, rank).forEach((value, index) => {
        mean[index] += value / workers;
      });
    }
    for (let index = 0; index < features; index++) {
      first[index] = beta1 * first[index] + (1 - beta1) * mean[index];
      second[index] = beta2 * second[index] + (1 - beta2) * mean[index] ** 2;
      const unbiased = first[index] / (1 - beta1 ** (step + 1));
      const scale = Math.sqrt(second[index] / (1 - beta2 ** (step + 1))) + 1e-8;
      w[index] -= (learningRate * unbiased) / scale;
    }
  }
  return w;
}

/** Of some learning rates, the one whose weights have the lowest loss on validation examples. */
function bestOf(candidates, weightsAt) {
  const losses = candidates.map((rate) => lossOn(validation, weightsAt(rate)));
  return candidates[losses.indexOf(Math.min(...losses))];
}

const count = (value) => value.toLocaleString('en');

/** Losses on test examples by the number of workers. */
function lossTable() {
  const bytes = 4 * wordsOf(features);
  const fewer = Math.floor((steps * bytes) / (4 * features));
  const averaged = ['AdamW, averaged', `AdamW, averaged, ${fewer} steps`];
  const rows = [['workers', 'sent, B', 'received, B', 'as f32, B', ...Object.keys(scenarios), ...averaged]];
  for (const workers of [1, 8, 64, 1024]) {
    const rate = bestOf(rates.votes, (candidate) => byVotes(workers, candidate));
    const losses = Object.values(scenarios).map((scenario) =>
      workers === 1 && scenario !== scenarios['all vote']
        ? ''
        : lossOn(test, byVotes(workers, rate, scenario)).toFixed(3),
    );
    const others = [steps, fewer].map((length) => {
      const best = bestOf(rates.averages, (candidate) => byAverages(workers, candidate, length));
      return lossOn(test, byAverages(workers, best, length)).toFixed(3);
    });
    rows.push([...[workers, bytes, workers * bytes, 4 * features].map(count), ...losses, ...others]);
  }
  const floor = lossOn(
    test,
    truth.map((value) => 3 * value),
  );
  return (
    `${markdownTable(rows, { align: rows[0].map(() => 'r') })}\n\n` +
    `The weights that the labels come from have a loss of ${floor.toFixed(3)}; ` +
    `all weights 0, ${Math.log(2).toFixed(3)}.`
  );
}

/** What a step of GPT-2 1.5B (48 layers of width 1600) on 64 machines would send. */
function planTable() {
  const [width, depth, vocabulary, context, workers] = [1600, 48, 50_257, 1024, 64];
  // Matrices and their biases, two layer norms a block, the last one, embeddings of tokens and positions.
  const weights = depth * (12 * width ** 2 + 13 * width) + 2 * width + (vocabulary + context) * width;
  const gigabytes = (value) => (value / 1e9).toFixed(value < 1e9 ? 2 : value < 1e11 ? 1 : 0);
  const seconds = (value) => ((8 * value) / 100e9).toFixed(1);
  const rows = [['exchange', 'sent, GB', 'received, GB', 'out of the server, GB', 'seconds of a link of 100 Gbit/s']];
  const each = {
    'votes, one bit': 4 * wordsOf(weights),
    'averages, BF16': 2 * weights,
    'averages, f32': 4 * weights,
    'weights in f32 every 100 steps': (4 * weights) / 100,
  };
  for (const [name, sent] of Object.entries(each)) {
    const out = workers ** 2 * sent;
    rows.push([name, gigabytes(sent), gigabytes(workers * sent), gigabytes(out), seconds(out)]);
  }
  return (
    `${markdownTable(rows, { align: rows[0].map((_, column) => (column === 0 ? 'l' : 'r')) })}\n\n` +
    `${count(weights)} weights, ${workers} machines.`
  );
}

const tables = { votes: lossTable(), plan: planTable() };
if (process.argv.includes('--write')) {
  const page = new URL('../../docs/distributed.md', import.meta.url);
  const text = Object.entries(tables).reduce(
    (all, [name, contents]) => withMarked(all, name, contents),
    readFileSync(page, 'utf8'),
  );
  writeFileSync(page, text);
} else console.log(Object.values(tables).join('\n\n'));
