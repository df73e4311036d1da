/**
 * node dev/votes/simulate.mjs: simulates sign votes of up to 1,024 workers in one process and prints a table. With
 * --write, it replaces the table of docs/distributed.md.
 *
 * The votes are packed and counted by @lmd/distributed; the model is small enough that nothing else takes time:
 * logistic regression with the rule of `lmd` with `gradientScaling: 'none'`, without noise and regularization. All
 * random numbers are those of @lmd/core, so the table is the same on every machine, up to the rounding of exp and log.
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
const [learningRate, beta1, beta2] = [0.02, 0.9, 0.99];
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
const test = normals(testExamples * features, 'test');
const testNoise = normals(testExamples, 'test-noise');

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

function testLoss(weights) {
  let loss = 0;
  for (let example = 0; example < testExamples; example++) {
    const label = labelOf(test, example * features, testNoise[example]);
    loss += Math.log1p(Math.exp(-label * dot(test, weights, example * features)));
  }
  return loss / testExamples;
}

/**
 * @param {number} workers
 * @param {Scenario} scenario
 */
function simulate(workers, { votes = () => true, signs = (_, own) => own }) {
  const [logPlus, logMinus] = [0, 1].map(() => new Float64Array(features).fill(Math.log(0.05)));
  const momenta = Array.from({ length: workers }, () => new Float32Array(features));
  const weights = () => Float64Array.from(logPlus, (log, index) => Math.exp(log) - Math.exp(logMinus[index]));
  for (let step = 0; step < steps; step++) {
    const w = weights();
    const chance = uniforms(workers, 'lost', step);
    const ballots = [];
    for (let rank = 0; rank < workers; rank++) {
      const x = normals(examplesPerWorker * features, 'inputs', step, rank);
      const noise = normals(examplesPerWorker, 'noise', step, rank);
      const gradient = new Float32Array(features);
      for (let example = 0; example < examplesPerWorker; example++) {
        const at = example * features;
        const label = labelOf(x, at, noise[example]);
        const slope = -label / (1 + Math.exp(label * dot(x, w, at))) / examplesPerWorker;
        for (let index = 0; index < features; index++) gradient[index] += slope * x[at + index];
      }
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
  return testLoss(weights());
}

const counts = [1, 8, 64, 1024];
const rows = [['workers', 'sent, B', 'received, B', 'as f32, B', ...Object.keys(scenarios)]];
for (const workers of counts) {
  const bytes = 4 * wordsOf(features);
  const losses = Object.values(scenarios).map((scenario) =>
    workers === 1 && scenario !== scenarios['all vote'] ? '' : simulate(workers, scenario).toFixed(3),
  );
  rows.push([...[workers, bytes, workers * bytes, 4 * features].map(String), ...losses]);
}
const table = markdownTable(rows, { align: rows[0].map(() => 'r') });
const floor = testLoss(truth.map((value) => 3 * value));
const text = `${table}\n\nThe weights that the labels come from have a loss of ${floor.toFixed(3)}; all weights 0, ${Math.log(2).toFixed(3)}.`;
if (process.argv.includes('--write')) {
  const page = new URL('../../docs/distributed.md', import.meta.url);
  writeFileSync(page, withMarked(readFileSync(page, 'utf8'), 'votes', text));
} else console.log(text);
