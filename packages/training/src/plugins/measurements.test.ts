import { createReferenceBackend } from '@lmd/backends/reference';
import {
  type BlockFormat,
  createOperations,
  type EagerOperations,
  lion,
  lmd,
  type Model,
  type NamedTensors,
  sgd,
  type WeightsKind,
} from '@lmd/core';
import { mxfp4_e2m1 } from '@lmd/mx-formats';
import { describe, expect, it } from 'vitest';
import { keepSnapshots } from '../../test/small-run.js';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import {
  eventListener,
  flipRate,
  gradientSignal,
  oscillationRate,
  type Plugin,
  priorBound,
  type TrainOptions,
  train,
  weightGrowth,
} from '../index.js';
import { normalQuantile } from './normal-quantile.js';

const format: BlockFormat = mxfp4_e2m1;

const base = () => {
  const backend = createReferenceBackend();
  return {
    backend,
    ops: createOperations(backend),
    model: tinyMlp(),
    optimizer: lmd({ learningRate: 0.02, regularization: 1 }),
    precision: f32,
    data: { train: moons(40), validation: moons(8) },
    seed: 1,
    steps: 12,
    batchSize: 8,
  };
};

/** What the tests look at in a report of any of the plugins. */
interface Report {
  readonly all: number & { readonly rms: number; readonly growth: number };
  readonly weights: { readonly [name: string]: number & { rms: number; growth: number; largest: number } };
  readonly noiseFloor: number;
}

/** Runs, and gives the reports of a plugin by step. Nothing may be left in the backend. */
async function reportsOf(
  name: string,
  plugins: Plugin[],
  options: Partial<TrainOptions> = {},
): Promise<Map<number, Report>> {
  const { backend, ...rest } = base();
  const reports = new Map<number, Report>();
  const listener = eventListener((event) => {
    if (event.type === 'report' && event.plugin === name) reports.set(event.step, event.data as unknown as Report);
  });
  const result = await train({ ...rest, ...options, plugins: [...plugins, listener] });
  result.dispose();
  expect(backend.memory().tensors).toBe(0);
  return reports;
}

/** The weights after each step, read to the host. */
function recorder(kind: WeightsKind = 'mean') {
  const weights: Record<string, number[]>[] = [];
  const read = async (ops: EagerOperations, named: NamedTensors) => {
    const values: Record<string, number[]> = {};
    for (const [name, tensor] of Object.entries(named)) values[name] = [...(await ops.read(tensor))];
    ops.dispose(named);
    return values;
  };
  const plugin: Plugin = {
    name: 'recorder',
    async start(_, run) {
      weights.push(await read(run.ops, run.optimizer.weights(run.ops, run.state, kind)));
    },
    async step(_, run) {
      weights.push(await read(run.ops, run.optimizer.weights(run.ops, run.state, kind)));
    },
  };
  return { weights, plugin };
}

const rmsOf = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

/** A run interrupted at a step and resumed gives the reports of one that was not. */
async function resumesAs(name: string, make: () => Plugin): Promise<void> {
  const whole = await reportsOf(name, [make()]);
  const half = keepSnapshots();
  const controller = new AbortController();
  const stop: Plugin = { name: 'stop', step: ({ step }) => (step === 6 ? controller.abort() : undefined) };
  await reportsOf(name, [make(), half, stop], { signal: controller.signal });
  const rest = await reportsOf(name, [make()], { resume: { checkpoint: half.last } });
  expect(rest.size).toBeGreaterThan(0);
  for (const [step, data] of rest) expect(data, `step ${step}`).toEqual(whole.get(step));
}

describe('weightGrowth', () => {
  it.each([1e25, 1e-25])('is right for weights of %s, whose squares do not fit in f32', async (size) => {
    const model: Model = {
      name: 'scale',
      parameters: { w: { shape: [2, 2] } },
      initialize: (ops) => ({
        w: ops.fromData(
          [3, -4, 4, 3].map((value) => value * size),
          [2, 2],
        ),
      }),
      forward: (ops, { w }, x) => ops.matmul(x, ops.multiply(w!, 1 / size)),
    };
    const optimizer = sgd({ learningRate: 0 });
    const { all, weights } = (await reportsOf('weightGrowth', [weightGrowth()], { model, optimizer, steps: 1 })).get(
      1,
    )!;
    for (const { rms, growth } of [all, weights.w!]) {
      expect(rms / (Math.sqrt(12.5) * size)).toBeCloseTo(1, 6);
      expect(growth).toBe(1);
    }
  });

  it('is the root mean square of each weight, beside the one at the start, and the largest', async () => {
    const { weights, plugin } = recorder();
    const reports = await reportsOf('weightGrowth', [plugin, weightGrowth({ every: 5 })]);
    expect([...reports.keys()]).toEqual([5, 10, 12]);
    for (const [step, data] of reports) {
      for (const [name, values] of Object.entries(weights[step]!)) {
        expect(data.weights[name]!.rms).toBeCloseTo(rmsOf(values), 5);
        expect(data.weights[name]!.growth).toBeCloseTo(rmsOf(values) / rmsOf(weights[0]![name]!), 5);
        expect(data.weights[name]!.largest).toBeCloseTo(Math.max(...values.map(Math.abs)), 5);
      }
      const [now, then] = [Object.values(weights[step]!).flat(), Object.values(weights[0]!).flat()];
      expect(data.all.rms).toBeCloseTo(rmsOf(now), 5);
      expect(data.all.growth).toBeCloseTo(rmsOf(now) / rmsOf(then), 5);
    }
  });

  it('remembers the start of an interrupted run', async () => {
    await resumesAs('weightGrowth', () => weightGrowth({ every: 4 }));
  });
});

describe('priorBound', () => {
  it.each(['f32', 'block16'] as const)(
    'is the share of medians at the bound, counted one by one, in %s',
    async (stateFormat) => {
      const optimizer = lmd({ learningRate: 0.1, regularization: 2, noise: 0, stateFormat });
      const expected = new Map<number, number>();
      const count: Plugin = {
        name: 'count',
        async step({ step }, { ops, state }) {
          if (stateFormat !== 'f32') return;
          let [inside, all] = [0, 0];
          for (const [name, tensor] of Object.entries(state.tensors)) {
            if (!/log(Plus|Minus)$/.test(name)) continue;
            const prior = (await ops.read(state.tensors[name.replace(/[^/]*$/, 'logPriorMedian')]!))[0]!;
            for (const l of await ops.read(tensor)) {
              all++;
              if (Math.abs(l - prior) < 0.8 / 2) inside++;
            }
          }
          expected.set(step, 1 - inside / all);
        },
      };
      const reports = await reportsOf(
        'priorBound',
        [count, priorBound({ regularization: 2, tolerance: 0.2, every: 4 })],
        {
          optimizer,
        },
      );
      expect([...reports.keys()]).toEqual([4, 8, 12]);
      const shares = [...reports.values()].map(({ all }) => all);
      if (stateFormat === 'f32')
        expect(shares).toEqual([4, 8, 12].map((step) => expect.closeTo(expected.get(step)!, 6)));
      expect(Math.max(...shares)).toBeGreaterThan(0.2);
      expect(Math.min(...shares)).toBeLessThan(1);
      expect(Object.keys(reports.get(4)!.weights)).toEqual(Object.keys(base().model.parameters));
    },
  );

  it('says nothing of other rules, and refuses a bound that is none', async () => {
    expect((await reportsOf('priorBound', [priorBound({ regularization: 1 })], { optimizer: sgd() })).size).toBe(0);
    for (const regularization of [0, -1, Number.NaN, '1']) {
      expect(() => priorBound({ regularization: regularization as number })).toThrow(/regularization is/);
    }
    expect(() => priorBound({ regularization: 1, tolerance: 1 })).toThrow(/tolerance is 1/);
    expect(() => priorBound({ regularization: 1, every: 0 })).toThrow(/every is 0/);
  });
});

describe('flipRate', () => {
  it.each([1, 5])('is the share of quantized weights that changed in the last step, every %i steps', async (every) => {
    const { weights, plugin } = recorder();
    const reports = await reportsOf('flipRate', [plugin, flipRate({ format, every })]);
    expect([...reports.keys()]).toEqual(every === 1 ? Array.from({ length: 12 }, (_, i) => i + 1) : [5, 10, 12]);
    const ops = createOperations(createReferenceBackend());
    const { parameters } = tinyMlp();
    const rounded = async (name: string, values: number[]) => {
      const { shape } = parameters[name]!;
      return [
        ...(await ops.read(ops.fakeQuantize(ops.fromData(Float32Array.from(values), shape), { format, axis: 0 }))),
      ];
    };
    let flips = 0;
    for (const [step, data] of reports) {
      for (const name of ['hidden.weight', 'head.weight']) {
        const [now, before] = [
          await rounded(name, weights[step]![name]!),
          await rounded(name, weights[step - 1]![name]!),
        ];
        const changed = now.filter((value, i) => value !== before[i]).length;
        flips += changed;
        expect(data.weights[name]!).toBeCloseTo(changed / now.length, 9);
      }
      expect(Object.keys(data.weights)).toEqual(['hidden.weight', 'head.weight']);
    }
    expect(flips).toBeGreaterThan(0);
  });

  it('is 0 where nothing moves', async () => {
    const reports = await reportsOf('flipRate', [flipRate({ format, every: 3 })], {
      optimizer: sgd({ learningRate: 0 }),
    });
    expect([...reports.values()].map(({ all }) => all)).toEqual([0, 0, 0, 0]);
  });

  it('remembers the weights of the step before, across an interruption', async () => {
    await resumesAs('flipRate', () => flipRate({ format, every: 7 }));
    await resumesAs('flipRate', () => flipRate({ format, every: 1 }));
  });
});

describe('oscillationRate', () => {
  const ops = createOperations(createReferenceBackend());
  const { parameters } = tinyMlp();
  const rounded = async (name: string, values: number[]) => {
    const x = ops.fromData(Float32Array.from(values), parameters[name]!.shape);
    return [...(await ops.read(ops.fakeQuantize(x, { format, axis: 0 })))];
  };
  // The sign of a gradient alone, in steps about as large as the weights: much goes back and forth.
  const optimizer = lion({ learningRate: 0.2, beta1: 0, beta2: 0 });

  it.each([1, 2, 5])('is the share of quantized weights that a step returns, every %i steps', async (every) => {
    const { weights, plugin } = recorder();
    const reports = await reportsOf('oscillationRate', [plugin, oscillationRate({ format, every })], { optimizer });
    const due = Array.from({ length: 12 }, (_, i) => i + 1).filter((step) => step % every === 0 || step === 12);
    expect([...reports.keys()]).toEqual(due.filter((step) => step >= 2));
    let seen = 0;
    for (const [step, data] of reports) {
      let [returns, flips, size] = [0, 0, 0];
      for (const name of ['hidden.weight', 'head.weight']) {
        const at = async (age: number) => rounded(name, weights[step - age]![name]!);
        const [now, before, first] = [await at(0), await at(1), await at(2)];
        const flipped = now.flatMap((value, i) => (value === before[i] ? [] : [i]));
        const returned = flipped.filter((i) => now[i] === first[i]).length;
        expect(data.weights[name]!).toBeCloseTo(returned / now.length, 9);
        [returns, flips, size] = [returns + returned, flips + flipped.length, size + now.length];
      }
      expect(data.all).toBeCloseTo(returns / size, 9);
      expect(data).toMatchObject({ ofFlips: flips === 0 ? null : returns / flips });
      seen += returns;
    }
    expect(seen).toBeGreaterThan(0);
  });

  it('is 0 where nothing moves, of no flips at all', async () => {
    const reports = await reportsOf('oscillationRate', [oscillationRate({ format, every: 3 })], {
      optimizer: sgd({ learningRate: 0 }),
    });
    expect([...reports.values()].map(({ all }) => all)).toEqual([0, 0, 0, 0]);
    expect([...reports.values()]).toMatchObject([{ ofFlips: null }, {}, {}, {}]);
  });

  it('remembers the weights of two steps before, across an interruption', async () => {
    for (const every of [1, 7, 8]) await resumesAs('oscillationRate', () => oscillationRate({ format, every }));
  });
});

describe('gradientSignal', () => {
  it.each([1, 2])('is the ratio of running moments, computed directly, with %i draws a step', async (samples) => {
    const decay = 0.8;
    const gradients: Record<string, number[]>[] = [];
    const record: Plugin = {
      name: 'record',
      passes(passes, { ops }) {
        for (const { gradients: given } of passes) {
          const values: Record<string, number[]> = {};
          gradients.push(values);
          for (const [name, tensor] of Object.entries(given)) {
            const kept = ops.keep(ops.reshape(tensor, tensor.shape));
            // The reference backend computes at once, and a promise of it keeps its order.
            void ops.read(kept).then((data) => {
              values[name] = [...data];
              ops.dispose(kept);
            });
          }
        }
      },
    };
    const optimizer = lmd({ samples, noise: 0.3 });
    const reports = await reportsOf('gradientSignal', [record, gradientSignal({ every: 6, decay })], { optimizer });
    expect([...reports.keys()]).toEqual([6, 12]);
    for (const [step, data] of reports) {
      const sums = { signal: 0, noise: 0 };
      for (const name of Object.keys(gradients[0]!)) {
        const size = gradients[0]![name]!.length;
        let [signal, noise] = [0, 0];
        for (let i = 0; i < size; i++) {
          let [mean, square] = [0, 0];
          for (let t = 0; t < step; t++) {
            const draws = gradients.slice(t * samples, (t + 1) * samples).map((one) => one[name]![i]!);
            const g = draws.reduce((a, b) => a + b, 0) / samples;
            mean = decay * mean + (1 - decay) * g;
            square = decay * square + (1 - decay) * g * g;
          }
          const correction = 1 - decay ** step;
          signal += (mean / correction) ** 2;
          noise += square / correction - (mean / correction) ** 2;
        }
        expect(data.weights[name]!).toBeCloseTo(signal / noise, 3);
        sums.signal += signal;
        sums.noise += noise;
      }
      expect(data.all).toBeCloseTo(sums.signal / sums.noise, 3);
      expect(data.noiseFloor).toBeCloseTo(0.125, 9);
    }
  });

  it('remembers its averages across an interruption', async () => {
    await resumesAs('gradientSignal', () => gradientSignal({ every: 4, decay: 0.9 }));
  });

  it('refuses a decay that is none', () => {
    for (const decay of [0, 1, Number.NaN]) expect(() => gradientSignal({ decay })).toThrow(/decay is/);
  });
});

describe('a plugin that fails in the middle of a step', () => {
  it('is named with its hook, and nothing is left behind', async () => {
    const { backend, ...rest } = base();
    const fails: Plugin = {
      name: 'fails',
      passes() {
        throw new Error('no gradients, please');
      },
    };
    await expect(train({ ...rest, plugins: [gradientSignal(), fails] })).rejects.toThrow(
      /Plugin "fails" failed in its hook "passes": no gradients, please/,
    );
    expect(backend.memory().tensors).toBe(0);
  });
});

describe('normalQuantile', () => {
  it.each([
    [0.5, 0],
    [0.8413447460685429, 1],
    [0.15865525393145707, -1],
    [0.975, 1.959963984540054],
    [0.0013498980316300933, -3],
    [1e-6, -4.753424308822899],
  ])('of %f is %f', (probability, quantile) => {
    expect(normalQuantile(probability)).toBeCloseTo(quantile, 6);
  });
});
