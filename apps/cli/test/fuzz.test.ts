import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { checkConsistency } from '../src/configuration/consistency.js';
import { loadConfiguration, parseConfiguration } from '../src/configuration/load.js';
import { presets } from '../src/presets/index.js';
import { posteriorSummarySchema } from '../src/report/posterior-summary.js';
import { predictionsSchema } from '../src/report/predictions-schema.js';
import { renderReport } from '../src/report/report.js';
import { runLayout } from '../src/run/layout.js';
import { curveOf, metricsOf } from '../src/run/metrics.js';
import { configurationOf } from '../src/run/run.js';
import { readStored } from '../src/run/stored.js';
import { runSummarySchema } from '../src/run/types.js';
import { readTrialSummary } from '../src/trial/summary.js';
import { temporaryFolder } from './lmd.js';

/** Inputs for each of four readers: 10,000 in all in the native suite, which has the time. */
const inputs = Number(process.env.LMD_FUZZ_INPUTS ?? 150);

/** A small generator of its own (xorshift), so that every run of the test sees the same inputs. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const oddities: readonly unknown[] = [
  ...[null, true, 0, -1, 1e9, 1e308, 0.5, Number.MAX_SAFE_INTEGER, '', 'NaN', 'x', '\u0000', '\u001b[31m', '..'],
  ...[[], {}, [[]], { toString: 1 }, { valueOf: null }, { constructor: 1 }, ['__proto__'], 'x'.repeat(300), '=1+1'],
  ...[JSON.parse('{"__proto__": {"steps": 1}}'), JSON.parse('['.repeat(200) + ']'.repeat(200)), { length: -1 }],
];

type Random = (below: number) => number;

/** A copy with one to three places changed, removed, doubled or added. */
function mutate(value: unknown, random: Random): unknown {
  let mutated = structuredClone(value);
  for (let change = 0; change <= random(3); change++) mutated = mutateOnce(mutated, random);
  return mutated;
}

function mutateOnce(value: unknown, random: Random): unknown {
  // A copy: what is put into one value may be changed there.
  const odd = structuredClone(oddities[random(oddities.length)]);
  if (typeof value !== 'object' || value === null || random(12) === 0) return odd;
  const keys = Object.keys(value);
  const key = keys[random(Math.max(1, keys.length))];
  const record = value as Record<string, unknown>;
  const kind = random(5);
  if (key === undefined || kind === 0) record[['added', 'toString', 'kind', '0'][random(4)]!] = odd;
  else if (kind === 1) delete record[key];
  else if (kind === 2 && Array.isArray(value)) value.push(value[0]);
  else record[key] = mutateOnce(record[key], random);
  return value;
}

/** JSON with, at times, a byte that is wrong, a cut, or a mark before it. */
function toText(value: unknown, random: Random): string {
  const text = JSON.stringify(value) ?? 'null';
  switch (random(8)) {
    case 0:
      return text.slice(0, random(text.length + 1));
    case 1: {
      const at = random(text.length);
      return `${text.slice(0, at)}${String.fromCharCode(random(256))}${text.slice(at + 1)}`;
    }
    case 2:
      return `\ufeff${text}`;
    default:
      return text;
  }
}

/**
 * Runs `body` on every input, and expects it to work or to throw typed errors of a bounded length. Both must happen.
 */
async function expectTyped(seed: number, body: (random: Random) => unknown): Promise<void> {
  const random = generator(seed);
  const outcomes = { read: 0, refused: 0 };
  for (let input = 0; input < inputs; input++) {
    try {
      await body(random);
      outcomes.read++;
    } catch (error) {
      if (!isLmdError(error))
        throw new Error(`Input ${input} of seed ${seed} threw an error without a type.`, { cause: error });
      expect(error.message.length).toBeLessThan(10_000);
      expect(error.subject).toBeDefined();
      outcomes.refused++;
    }
  }
  expect(outcomes.read).toBeGreaterThan(inputs / 50);
  expect(outcomes.refused).toBeGreaterThan(inputs / 50);
}

const folder = temporaryFolder();
const result = {
  ...{ optimizer: 'lmd', format: 'fp32', testAccuracy: 0.5, testLoss: 'NaN', seconds: 1 },
  ...{ imagesPerSecond: 10, peakMemoryBytes: 1e8 },
};

describe('any content of a file is read or refused by a typed error', () => {
  it('configurations', async () => {
    const bases = [presets.smoke, loadConfiguration('first-light'), loadConfiguration('smoke')];
    await expectTyped(1, (random) => {
      const configuration = parseConfiguration(mutate(bases[random(bases.length)], random), 'fuzz');
      if (configuration.data.kind === 'synthetic') checkConsistency(configuration, 'fuzz');
    });
  });

  it('configuration files and their --set', async () => {
    const path = join(folder, 'configuration.json');
    const keys = [
      'steps',
      'data.kind',
      'optimizers.0.rule',
      'optimizers.lmd.noise',
      'model.preset',
      'a.b.c',
      'toString',
    ];
    await expectTyped(2, (random) => {
      writeFileSync(path, toText(random(3) === 0 ? mutate(presets.smoke, random) : presets.smoke, random));
      const odd = JSON.stringify(oddities[random(oddities.length)]);
      loadConfiguration(path, random(2) === 0 ? [] : [`${keys[random(keys.length)]}=${odd}`]);
    });
  });

  it('summaries and configurations of runs', async () => {
    const run = join(folder, 'run');
    const layout = runLayout(run);
    const trial = layout.trial('lmd');
    mkdirSync(trial.folder, { recursive: true });
    const summary = {
      ...{ result, steps: 3, device: 'cpu', model: 'vit', parameters: 3, data: 'made', identity: { steps: 3 } },
    };
    await expectTyped(3, (random) => {
      const kind = random(3);
      if (kind === 0) {
        writeFileSync(layout.configuration, toText(mutate(loadConfiguration('smoke'), random), random));
        configurationOf(run);
      } else if (kind === 1) {
        writeFileSync(trial.summary, toText(mutate(summary, random), random));
        readTrialSummary(trial.folder);
      } else {
        writeFileSync(layout.summary, toText(mutate({ name: 'smoke', results: [result] }, random), random));
        readStored(layout.summary, runSummarySchema, 'Remove it.');
      }
    });
  });

  it('metrics and posteriors, and what the report draws of them', async () => {
    const moments = { count: 4, mean: 0, standardDeviation: 1 };
    const half = { ...moments, histogram: { from: -1, width: 0.5, counts: [1, 2, 1, 0] } };
    const posterior = {
      ...{ optimizer: 'lmd', regularizer: 'logNormalPrior', regularization: 1, noise: 0.1, plus: half, minus: half },
      weights: [{ name: 'w', elements: 4, logPriorMedian: 0, plus: moments, minus: moments }],
    };
    const example = { index: 0, label: 1, predicted: 0, probability: 0.5, picture: 'iVBORw0KGgo=' };
    const predictions = {
      ...{ optimizer: 'lmd', split: 'test', examples: 2, of: 4, classes: 2, classNames: ['a', 'b'] },
      confusion: [{ label: 1, predicted: 0, count: 1 }],
      samples: [example],
      worst: [example],
    };
    const predicted = join(folder, 'predictions.json');
    const lines = [
      { type: 'step', step: 1, epoch: 0, position: 0, loss: 1, samples: 4, seconds: 1 },
      {
        type: 'evaluation',
        step: 1,
        split: 'validation',
        loss: 1,
        accuracy: 0.5,
        perplexity: 2,
        examples: 4,
        seconds: 1,
      },
      { type: 'report', step: 1, plugin: 'weightGrowth', data: { all: { growth: 1 } } },
      { type: 'end', step: 1, status: 'finished', seconds: 1, samplesPerSecond: 1 },
    ];
    const configuration = loadConfiguration('smoke');
    const environment = { date: '', machine: '', node: '', device: '', model: '', data: '', versions: '' };
    const path = join(folder, 'metrics.jsonl');
    const stored = join(folder, 'posterior.json');
    await expectTyped(4, async (random) => {
      const read = await readMutated();
      const curves = [curveOf('lmd', read)];
      writeFileSync(stored, toText(random(2) === 0 ? mutate(posterior, random) : posterior, random));
      const posteriors = [readStored(stored, posteriorSummarySchema, 'Remove it.')];
      const results = [{ ...result, testLoss: Number.NaN }];
      writeFileSync(predicted, toText(random(2) === 0 ? mutate(predictions, random) : predictions, random));
      const content = { configuration, results, curves, posteriors, texts: [], environment };
      const page = renderReport({ ...content, predictions: [readStored(predicted, predictionsSchema, 'Remove it.')] });
      expect(page).not.toMatch(/<script|undefined/);

      async function readMutated() {
        // One line in half of the inputs: a whole line that is none is refused, and the last one left out where it is
        // cut.
        const changed = random(2 * lines.length);
        const texts = lines.map((line, at) =>
          at === changed ? toText(mutate(line, random), random) : toText(line, () => 7),
        );
        writeFileSync(path, texts.join('\n'));
        return await metricsOf(path);
      }
    });
  });
});
