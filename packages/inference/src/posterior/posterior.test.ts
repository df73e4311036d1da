import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '@lmd/backends/reference';
import {
  createOperations,
  type OptimizerRuleName,
  type OptimizerState,
  optimizerFromDescription,
  optimizerRules,
} from '@lmd/core';
import { groupsBesideAdamw } from '@lmd/models';
import { type Checkpoint, encodeCheckpoint, readTensors } from '@lmd/training';
import { writeCheckpoint } from '@lmd/training/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { outcome, ownModel, preprocessing, smallVit, temporaryFolder } from '../../test/support.js';
import { softmaxRows } from '../classify.js';
import { loadModel as load } from '../load-model.js';
import type { ModelSource } from '../model-sources.js';
import { loadModel as loadPath } from '../node/load-model.js';
import { posteriorSampling } from './posterior-sampling.js';

const loadModel = (source: ModelSource) => load(source, { backend, posterior: posteriorSampling });

const folder = temporaryFolder();
const at = (...path: string[]) => join(folder, ...path);
const backend = createReferenceBackend();
const ops = createOperations(backend);
const model = smallVit();
const picture = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 7) % 256) };
const step = 5;
const seed = 9;

interface Run {
  readonly rule: OptimizerRuleName;
  readonly options: { readonly [name: string]: unknown };
  readonly state: OptimizerState;
}

/** The folder of a run: its model, and the checkpoint of an optimizer that has just begun. */
async function writeRun(name: string, rule: OptimizerRuleName, options: Run['options']): Promise<Run> {
  const optimizer = optimizerFromDescription({ groups: groupsBesideAdamw({ rule, options }, model.parameters) });
  const state = await optimizer.init(ops, model.initialize(ops, 1));
  mkdirSync(at(name, 'mine'), { recursive: true });
  const described = { preprocessing, seed, optimizer: { name: 'mine', rule, options } };
  writeFileSync(at(name, 'model.safetensors'), await ownModel(model, described));
  await writeCheckpoint(at(name, 'mine', 'checkpoints'), await checkpointOf(state));
  return { rule, options, state };
}

async function checkpointOf(state: OptimizerState): Promise<Checkpoint> {
  return {
    step,
    optimizerStep: step,
    tensors: await readTensors(ops, state.tensors),
    plugins: {},
    identity: {},
    seconds: 1,
    versions: { training: '0.0.0', backend: 'reference', device: 'test' },
  };
}

const rules = {
  lmd: { noise: 0.4 },
  block16: { noise: 0.4, stateFormat: 'block16', priorMedian: 'initialWeights', initialization: 'hypentropy' },
  ivon: { effectiveSampleSize: 100 },
  lieGroupMultiplicative: {},
  lieGroupAdditive: {},
  lieGroupAffine: {},
} as const;
const runs: { [name: string]: Run } = {};

beforeAll(async () => {
  for (const [name, options] of Object.entries(rules)) {
    runs[name] = await writeRun(name, name === 'block16' ? 'lmd' : (name as OptimizerRuleName), options);
  }
});

/** Class probabilities of the picture with weights of the optimizer itself, by draw. */
async function ownDraws(name: string, key: { seed: number }, count: number): Promise<Float64Array[]> {
  const { rule, options, state } = runs[name]!;
  const optimizer = optimizerFromDescription({ groups: groupsBesideAdamw({ rule, options }, model.parameters) });
  const loaded = await loadPath(at(name), { backend });
  const { data } = await loaded.prepare(picture);
  const context = { training: false, precision: precision(), key: { seed: 0, step: 0, sample: 0 } };
  const draws: Float64Array[] = [];
  for (let draw = 0; draw < count; draw++) {
    const drawKey = { ...key, step, sample: optimizer.samples + draw };
    const weights = optimizer.weights(ops, { ...state, step }, 'sample', drawKey);
    const logits = model.forward(ops, weights, ops.fromData(data, [1, 8, 8, 3]), context);
    draws.push(softmaxRows(await ops.read(logits), 3));
  }
  return draws;
}

function precision() {
  const operand = 'f32' as const;
  return {
    forward: { weights: operand, activations: operand },
    backward: { weights: operand, activations: operand, gradients: operand },
  };
}

describe.each(Object.keys(rules))('the posterior of %s', (name) => {
  it("is sampled with the bits of the optimizer's own draws; the spread is their standard deviation", async () => {
    const draws = await ownDraws(name, { seed }, 4);
    const loaded = await loadPath(at(name), { backend });
    const one = await loaded.classify(picture, { samples: 1 });
    expect(one.probabilities).toEqual(draws[0]);
    expect(one.spreads).toBeUndefined();
    const { probabilities, spreads, spread, label, top } = await loaded.classify(picture, { samples: 4 });
    for (const [k, probability] of probabilities.entries()) {
      const values = draws.map((draw) => draw[k]!);
      const mean = values.reduce((sum, value) => sum + value, 0) / 4;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
      expect(probability).toBeCloseTo(mean, 13);
      expect(spreads![k]).toBeCloseTo(Math.sqrt(variance), 13);
    }
    expect(spread).toBe(spreads![label]);
    expect(spread).toBeGreaterThan(0);
    expect(top[0]!.spread).toBe(spread);
    const other = await loaded.classify(picture, { samples: 1, seed: 10 });
    expect(other.probabilities).toEqual((await ownDraws(name, { seed: 10 }, 1))[0]);
    loaded.dispose();
  });
});

describe('a posterior', () => {
  it('comes with a list of files too, and leaves no tensor behind', async () => {
    const { state, rule, options } = runs.lmd!;
    const bytes = await ownModel(model, { preprocessing, seed, optimizer: { name: 'mine', rule, options } });
    const checkpoint = await encodeCheckpoint(await checkpointOf(state));
    const files = [
      new File([new Uint8Array(bytes)], 'model.safetensors'),
      new File([new Uint8Array(checkpoint)], 'step-00000005.safetensors'),
    ];
    const before = backend.memory().tensors;
    const loaded = await loadModel(files);
    const whole = await loadPath(at('lmd'), { backend });
    expect(await loaded.classify(picture, { samples: 3 })).toEqual(await whole.classify(picture, { samples: 3 }));
    loaded.dispose();
    whole.dispose();
    expect(backend.memory().tensors).toBe(before);
  });

  it('of one part of the weights leaves the others as they are stored', async () => {
    const { rule, options } = runs.lmd!;
    const name = 'head.weight';
    const optimizer = optimizerFromDescription({ groups: [{ match: '*', rule, options }] });
    const state = await optimizer.init(ops, { [name]: model.initialize(ops, 1)[name]! });
    mkdirSync(at('part', 'checkpoints'), { recursive: true });
    const described = { preprocessing, seed, optimizer: { name: 'mine', rule, options } };
    writeFileSync(at('part', 'model.safetensors'), await ownModel(model, described));
    await writeCheckpoint(at('part', 'checkpoints'), await checkpointOf(state));
    const loaded = await loadPath(at('part'), { backend });
    expect((await loaded.classify(picture, { samples: 4 })).spread).toBeGreaterThan(0);
  });

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['without a checkpoint', () => ownOnly('lmd'), 'INVALID_ARGUMENT', /load the run folder, or the files/],
    ['of an optimizer without one', () => ownOnly('adamw'), 'UNSUPPORTED', /trained by adamw.*no posterior/],
    ['of an unknown optimizer', () => ownOnly('later' as 'lmd'), 'UNSUPPORTED', /trained by later/],
    ['of adapters', () => foreignState('blocks.0.query.loraA'), 'UNSUPPORTED', /Posteriors of adapters/],
    ['with other options', () => foreignState('head.weight'), 'CHECKPOINT_MISMATCH', /does not belong to the model/],
  ])('%s is refused', async (_, sample, code, message) => {
    expect(await outcome(sample)).toBe(code);
    await expect(sample()).rejects.toThrow(message);
  });

  async function ownOnly(rule: OptimizerRuleName) {
    const bytes = await ownModel(model, { preprocessing, optimizer: { name: 'mine', rule } });
    return (await loadModel(bytes)).classify(picture, { samples: 2 });
  }

  /** A state of AdamW in the checkpoint of a model that says it was trained by LMD. */
  async function foreignState(weight: string) {
    const optimizer = optimizerFromDescription({ groups: [{ match: '*', rule: 'adamw' }] });
    const state = await optimizer.init(ops, { [weight]: ops.full([16, 3], 1) });
    const bytes = await ownModel(model, { preprocessing, optimizer: { name: 'mine', rule: 'lmd' } });
    const checkpoint = await encodeCheckpoint(await checkpointOf(state));
    const files = { 'model.safetensors': bytes, 'step-00000005.safetensors': checkpoint };
    const list = Object.entries(files).map(([name, data]) => new File([new Uint8Array(data)], name));
    return (await loadModel(list)).classify(picture, { samples: 2 });
  }
});

it('the rules that say that they have a posterior are those whose draws differ', async () => {
  for (const [rule, { hasPosterior }] of Object.entries(optimizerRules)) {
    const options = rule === 'ivon' ? { effectiveSampleSize: 100 } : {};
    const optimizer = optimizerFromDescription({
      groups: [{ match: '*', rule: rule as OptimizerRuleName, options }],
    });
    const state = await optimizer.init(ops, { weight: ops.fromData(Float32Array.of(1, -2, 3, 4), [2, 2]) });
    const draw = async (sample: number) =>
      Array.from(await ops.read(optimizer.draw(ops, state, { seed: 1, step: 0, sample }).weight!));
    const isSame = JSON.stringify(await draw(0)) === JSON.stringify(await draw(1));
    expect(isSame, rule).toBe(!hasPosterior);
  }
});
