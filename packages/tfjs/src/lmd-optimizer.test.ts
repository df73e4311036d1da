import { createReferenceBackend } from '@lmd/backends/reference';
import { adamw, createOperations, isLmdError, lmd, type NamedTensors, parameterGroups, type Tensor } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  counts,
  engines,
  errorOf,
  expectClose,
  numbers,
  onEngine,
  onGpu,
  read,
  readAll,
  tensor,
} from '../test/support.js';
import { LMDOptimizer, type LMDOptimizerOptions } from './index.js';

/** Variables of a name each, disposed of after the test. */
function linearModel(name: string) {
  const kernel = tf.tidy(() => tf.variable(tensor([6, 3], 3), true, `${name}/kernel`));
  const bias = tf.tidy(() => tf.variable(tf.zeros([3]), true, `${name}/bias`));
  const x = tensor([8, 6], 5) as tf.Tensor2D;
  const y = tensor([8, 3], 7);
  const loss = () =>
    tf.tidy(() => tf.mean(tf.square(tf.sub(tf.add(tf.matMul(x, kernel as tf.Tensor2D), bias), y))) as tf.Scalar);
  return { kernel, bias, loss, x, y, dispose: () => tf.dispose([kernel, bias, x, y]) };
}

/** The same model trained by core's rules on the reference backend. */
async function coreWeights(
  name: string,
  options: LMDOptimizerOptions,
  steps: number,
): Promise<Record<string, number[]>> {
  const { seed = 0, adamw: adamwOptions = {}, ...lmdOptions } = options;
  const ops = createOperations(createReferenceBackend());
  const rule = parameterGroups([
    { match: `${name}/kernel`, optimizer: lmd(lmdOptions) },
    { match: `${name}/bias`, optimizer: adamw(adamwOptions) },
  ]);
  const x = ops.fromData(numbers(48, 5), [8, 6]);
  const y = ops.fromData(numbers(24, 7), [8, 3]);
  let state = await rule.init(ops, {
    [`${name}/kernel`]: ops.fromData(numbers(18, 3), [6, 3]),
    [`${name}/bias`]: ops.zeros([3]),
  });
  for (let step = 0; step < steps; step++) {
    const passes = Array.from({ length: rule.samples }, (_, sample) => {
      const key = { seed, step, sample };
      const weights = rule.draw(ops, state, key) as NamedTensors & { [name: string]: Tensor };
      const error = ops.subtract(ops.add(ops.matmul(x, weights[`${name}/kernel`]!), weights[`${name}/bias`]!), y);
      const dy = ops.multiply(error, 2 / 24);
      return {
        key,
        gradients: {
          [`${name}/kernel`]: ops.matmul(x, dy, { transposeA: true }),
          [`${name}/bias`]: ops.sum(dy, { axes: 0 }),
        },
      };
    });
    state = rule.update(ops, state, passes);
  }
  const result: Record<string, number[]> = {};
  for (const [weight, value] of Object.entries(rule.weights(ops, state))) result[weight] = [...(await ops.read(value))];
  return result;
}

describe.each(engines)('LMDOptimizer on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  it.each<[string, LMDOptimizerOptions]>([
    ['the defaults', { learningRate: 0.02, seed: 5 }],
    ['two samples and no scaling', { learningRate: 0.02, samples: 2, gradientScaling: 'none', noise: 0.2 }],
    [
      'another prior and median weights',
      { regularizer: 'halfNormalPrior', evaluation: 'median', adamw: { learningRate: 0.1 } },
    ],
    ['a sample to evaluate', { evaluation: 'sample', evaluationSamples: 3 }],
    ['state in 16-bit codes', { stateFormat: 'block16', learningRate: 0.02 }],
  ])('takes the steps of core’s rules, with %s', async (_, options) => {
    const model = linearModel('parity');
    const optimizer = new LMDOptimizer(options);
    await optimizer.initialize([model.kernel, model.bias]);
    for (let step = 0; step < 12; step++) optimizer.minimize(model.loss, false, [model.kernel, model.bias]);
    const { evaluation } = options;
    if (evaluation !== 'sample') {
      const expected = await coreWeights('parity', options, 12);
      // A sign or a rounded code may fall the other way where engines differ in a last bit.
      const tolerance = options.stateFormat === undefined ? 1e-4 : 0.05;
      expectClose(await read(model.kernel), expected['parity/kernel']!, tolerance, 1e-5);
      expectClose(await read(model.bias), expected['parity/bias']!, tolerance, 1e-5);
    } else expect((await read(model.kernel)).every(Number.isFinite)).toBe(true);
    expect(optimizer.iterations).toBe(12);
    optimizer.dispose();
    model.dispose();
  });

  it('runs f at a draw, and leaves the evaluation weights behind, also when f throws', async () => {
    const model = linearModel('draws');
    const optimizer = new LMDOptimizer({ noise: 0.3 });
    await optimizer.initialize([model.kernel]);
    const start = await read(model.kernel);
    const seen: tf.Tensor[] = [];
    const note = () => void seen.push(tf.keep(tf.add(model.kernel, 0)));
    const watched = () => {
      tf.tidy(note);
      return model.loss();
    };
    const failing = () => {
      // Nothing recorded: what a tape holds when its function throws, TensorFlow.js never frees.
      throw new Error('the user’s own');
    };
    const before = counts();
    expect(() => optimizer.minimize(failing, false, [model.kernel])).toThrow('the user’s own');
    expect(await read(model.kernel)).toEqual(start);
    expect(() => optimizer.computeGradients(failing, [model.kernel])).toThrow('the user’s own');
    expect(counts()).toEqual(before);
    // A failed step is not counted: the same step has the same draw, which is none of the evaluation weights.
    const again = new LMDOptimizer({ noise: 0.3 });
    await again.initialize([model.kernel]);
    tf.dispose(again.computeGradients(watched, [model.kernel]).grads);
    again.dispose();
    optimizer.minimize(watched, false, [model.kernel]);
    const after = await read(model.kernel);
    optimizer.minimize(watched, false, [model.kernel]);
    const [first, second, third] = await readAll(seen);
    expect(second).toEqual(first);
    expect(first).not.toEqual(start);
    expect(third).not.toEqual(after);
    optimizer.dispose();
    model.dispose();
  });

  it('keeps memory flat over many steps, and frees it all', async () => {
    const before = counts();
    const model = linearModel('memory');
    const optimizer = new LMDOptimizer({ samples: 2 });
    await optimizer.initialize([model.kernel, model.bias]);
    optimizer.minimize(model.loss, false, [model.kernel, model.bias]);
    const first = counts();
    for (let step = 0; step < (onGpu(engine) ? 10 : 100); step++) {
      optimizer.minimize(model.loss, false, [model.kernel, model.bias]);
      tf.tidy(() => void optimizer.minimize(model.loss, true, [model.kernel, model.bias]));
    }
    expect(counts()).toEqual(first);
    // Five tensors of the matrix and three of the bias.
    expect(first.numTensors - before.numTensors).toBe(4 + 8);
    optimizer.dispose();
    model.dispose();
    expect(counts()).toEqual(before);
  });

  it('returns the mean loss of its draws', async () => {
    const model = linearModel('cost');
    const optimizer = new LMDOptimizer({ samples: 3, noise: 0.5 });
    await optimizer.initialize([model.kernel]);
    const seen: tf.Tensor[] = [];
    const loss = () => {
      const value = model.loss();
      seen.push(tf.keep(tf.clone(value)));
      return value;
    };
    const cost = await read(optimizer.minimize(loss, true, [model.kernel])!);
    const losses = (await readAll(seen)).map(([value]) => value!);
    expect(new Set(losses).size).toBe(3);
    expect(cost[0]).toBeCloseTo(losses.reduce((a, b) => a + b) / 3, 5);
    optimizer.dispose();
    model.dispose();
  });

  it('applies gradients that the caller changed, accumulated ones too, as minimize would', async () => {
    const [a, b] = [linearModel('one'), linearModel('two')];
    const [one, two] = [new LMDOptimizer({ noise: 0 }), new LMDOptimizer({ noise: 0 })];
    await one.initialize([a.kernel, a.bias]);
    await two.initialize([b.kernel, b.bias]);
    for (let step = 0; step < 3; step++) {
      one.minimize(() => tf.mul(a.loss(), 3), false, [a.kernel, a.bias]);
      tf.tidy(() => {
        const { grads } = two.computeGradients(b.loss, [b.kernel, b.bias]);
        const again = two.computeGradients(b.loss, [b.kernel, b.bias]).grads;
        const sum = Object.keys(grads).map((name) => ({ name, tensor: tf.add(tf.mul(grads[name]!, 2), again[name]!) }));
        two.applyGradients(step === 0 ? sum : Object.fromEntries(sum.map(({ name, tensor }) => [name, tensor])));
      });
    }
    expectClose(await read(b.kernel), await read(a.kernel));
    expectClose(await read(b.bias), await read(a.bias));
    for (const thing of [one, two, a, b]) thing.dispose();
  });

  it('trains all trainable variables where none are listed, and leaves those beside the loss alone', async () => {
    const model = linearModel('listed');
    const aside = tf.variable(tensor([2, 2], 9), true, 'aside');
    const fixed = tf.variable(tensor([2, 2], 9), false, 'fixed');
    const start = await read(aside);
    const optimizer = new LMDOptimizer();
    await optimizer.initialize();
    const loss = (await read(model.loss()))[0]!;
    for (let step = 0; step < (onGpu(engine) ? 30 : 60); step++) optimizer.minimize(model.loss);
    expect((await read(model.loss()))[0]!).toBeLessThan(loss);
    expectClose(await read(aside), start, 0, 0);
    optimizer.dispose();
    model.dispose();
    tf.dispose([aside, fixed]);
  });

  it('resumes bit-identically from a saved state, by name and in any order', async () => {
    const options = { learningRate: 0.05, seed: 3, priorMedian: { 'resume/kernel': 0.2 } };
    const model = linearModel('resume');
    const [first, second] = [new LMDOptimizer(options), new LMDOptimizer(options)];
    await first.initialize([model.kernel, model.bias]);
    for (let step = 0; step < 4; step++) first.minimize(model.loss, false, [model.kernel, model.bias]);
    const saved = await first.getWeights();
    expect(saved.map(({ name }) => name)).toEqual([
      'iter',
      ...['logPlus', 'logMinus', 'momentumPlus', 'momentumMinus', 'logPriorMedian'].map((v) => `resume/kernel/${v}`),
      ...['weight', 'firstMoment', 'secondMoment'].map((v) => `resume/bias/${v}`),
    ]);
    await second.setWeights([...saved].reverse());
    const [kernel, bias] = [model.kernel.clone(), model.bias.clone()];
    for (let step = 0; step < 4; step++) first.minimize(model.loss, false, [model.kernel, model.bias]);
    const expected = [await read(model.kernel), await read(model.bias)];
    model.kernel.assign(kernel);
    model.bias.assign(bias);
    expect(second.iterations).toBe(4);
    // In another order of variables, too.
    for (let step = 0; step < 4; step++) second.minimize(model.loss, false, [model.bias, model.kernel]);
    expect([await read(model.kernel), await read(model.bias)]).toEqual(expected);
    tf.dispose([kernel, bias, saved[0]!.tensor]);
    for (const thing of [first, second, model]) thing.dispose();
  });

  it('starts from scales that it waits for, as from those that it reads at once', async () => {
    const [a, b] = [linearModel('waits'), linearModel('reads')];
    const [one, two] = [new LMDOptimizer({ noise: 0 }), new LMDOptimizer({ noise: 0 })];
    await one.initialize([a.kernel, a.bias]);
    one.minimize(a.loss, false, [a.kernel, a.bias]);
    const step = () => two.minimize(b.loss, false, [b.kernel, b.bias]);
    if (engine === 'webgpu') {
      const error = errorOf(step);
      expect(isLmdError(error, 'UNSUPPORTED'), String(error)).toBe(true);
      expect(error.message).toMatch(/no synchronous read of a tensor.*await optimizer\.initialize/s);
    } else {
      step();
      expectClose(await read(a.kernel), await read(b.kernel));
    }
    for (const thing of [one, two, a, b]) thing.dispose();
  });

  it('refuses to lose what other code assigned, until told to begin anew', async () => {
    const model = linearModel('assigned');
    const optimizer = new LMDOptimizer();
    const step = () => optimizer.minimize(model.loss, false, [model.kernel, model.bias]);
    await optimizer.initialize([model.kernel, model.bias]);
    step();
    model.kernel.assign(tensor([6, 3], 11));
    const error = errorOf(step);
    expect(isLmdError(error, 'INVALID_ARGUMENT')).toBe(true);
    expect(error.message).toMatch(/other code assigned to the variable "assigned\/kernel".*restart/);
    optimizer.restart([model.kernel]);
    await optimizer.initialize([model.kernel]);
    step();
    expect(Math.abs((await read(model.kernel))[0]! - numbers(1, 11)[0]!)).toBeLessThan(0.05);
    optimizer.dispose();
    model.dispose();
  });
});

describe.each(engines)('LMDOptimizer in model.fit on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  /** What an engine needs that cannot read at once; the others do without. */
  const initialize = (model: LayersModel) =>
    (model.optimizer as LMDOptimizer).initialize(model.trainableWeights.map((weight) => weight.read() as tf.Variable));

  const build = () => {
    const kernelInitializer = () => initializers.glorotUniform({ seed: 4 });
    return sequential({
      layers: [
        layers.dense({
          units: 16,
          activation: 'relu',
          inputShape: [4],
          name: 'fit-one',
          kernelInitializer: kernelInitializer(),
        }),
        layers.batchNormalization({ name: 'fit-norm' }),
        layers.dense({ units: 2, name: 'fit-two', kernelInitializer: kernelInitializer() }),
      ],
    });
  };

  it('trains a layers model, keeps memory flat, and evaluates at its evaluation weights', async () => {
    const model = build();
    const optimizer = new LMDOptimizer({ learningRate: 0.02, regularization: 0.5, priorMedianFloor: 0.5 });
    model.compile({ optimizer, loss: 'meanSquaredError', metrics: ['mae'] });
    await initialize(model);
    const x = tensor([64, 4], 2) as tf.Tensor2D;
    const y = tf.tidy(() => tf.slice(tf.mul(x, 2), [0, 0], [64, 2]));
    const options = { epochs: 30, batchSize: 16, verbose: 0 as const, shuffle: false };
    const first = (await model.fit(x, y, { ...options, epochs: 1 })).history.loss![0] as number;
    const before = counts();
    const history = await model.fit(x, y, options);
    expect(counts()).toEqual(before);
    const last = history.history.loss!.at(-1) as number;
    expect(last).toBeLessThan(first / 2);
    const [loss] = await readAll(model.evaluate(x, y, { batchSize: 64 }) as tf.Scalar[]);
    expect(loss![0]).toBeLessThan(first / 2);
    model.dispose();
    tf.dispose([x, y]);
  });

  it('is saved with its model, and resumes bit-identically in a copy', async () => {
    const model = build();
    model.compile({
      optimizer: new LMDOptimizer({ learningRate: 0.02, seed: 9, adamwFor: ['fit-two/kernel'], adamw: { beta1: 0.8 } }),
      loss: 'meanSquaredError',
    });
    await initialize(model);
    const x = tensor([16, 4], 2) as tf.Tensor2D;
    const y = tensor([16, 2], 3) as tf.Tensor2D;
    const fitted = (which: LayersModel) => which.fit(x, y, { epochs: 2, batchSize: 16, verbose: 0, shuffle: false });
    await fitted(model);
    let artifacts: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (saved) => {
        artifacts = saved;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved) };
      }),
      { includeOptimizer: true },
    );
    const copy = await loadLayersModel(tf.io.fromMemory(artifacts!));
    expect(copy.optimizer).toBeInstanceOf(LMDOptimizer);
    expect(copy.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    await fitted(model);
    await fitted(copy);
    for (const [index, weight] of model.getWeights().entries()) {
      const [got, want] = [await read(copy.getWeights()[index]!), await read(weight)];
      // WebGL adds up in an order that depends on how its textures are laid out, and the copy's are others.
      if (engine === 'webgl') expectClose(got, want);
      else expect(got).toEqual(want);
    }
    copy.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });
});
