import { createRequire } from 'node:module';
import { type ErrorCode, isLmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { counts, errorOf, onEngine, tensor } from '../test/support.js';
import { LMDOptimizer, type LMDOptimizerOptions } from './index.js';

function expectError(error: unknown, code: ErrorCode, message: RegExp) {
  expect(isLmdError(error, code), String(error)).toBe(true);
  expect((error as Error).message).toMatch(message);
}

const variable = (name: string, shape = [3, 2], seed = 1) =>
  tf.tidy(() => tf.variable(tensor(shape, seed), true, name));
const lossOf = (x: tf.Tensor) => () => tf.tidy(() => tf.sum(tf.square(x)) as tf.Scalar);

describe('LMDOptimizer refuses', () => {
  beforeEach(() => onEngine('cpu'));

  it.each<[string, unknown, ErrorCode, RegExp]>([
    ['an unknown option', { learningrate: 1 }, 'UNKNOWN_OPTION', /"learningrate".*learningRate/],
    ['an option of lmd out of range', { beta1: 1 }, 'INVALID_ARGUMENT', /beta1 is 1/],
    ['an option of adamw out of range', { adamw: { epsilon: 0 } }, 'INVALID_ARGUMENT', /epsilon is 0/],
    ['a seed that is none', { seed: -1 }, 'INVALID_ARGUMENT', /seed is -1/],
    ['another value for adamwFor', { adamwFor: 'biases' }, 'INVALID_ARGUMENT', /adamwFor is "biases"/],
    ['a list with something else', { adamwFor: [1] }, 'INVALID_ARGUMENT', /adamwFor is \[1\]/],
    ['no record', 3e-3, 'INVALID_ARGUMENT', /options are 0.003/],
  ])('%s', (_, options, code, message) => {
    expectError(
      errorOf(() => new LMDOptimizer(options as LMDOptimizerOptions)),
      code,
      message,
    );
  });

  it('a loss that is no function, and lists without a trainable variable', () => {
    const fixed = tf.tidy(() => tf.variable(tf.ones([2, 2]), false, 'fixed'));
    const optimizer = new LMDOptimizer();
    const minimize = (f: unknown, list?: unknown) => () =>
      optimizer.minimize(f as () => tf.Scalar, false, list as tf.Variable[]);
    expectError(errorOf(minimize(1)), 'INVALID_ARGUMENT', /the loss is not a function/);
    expectError(errorOf(minimize(lossOf(fixed), [fixed])), 'INVALID_ARGUMENT', /at least one|At least one/);
    expectError(errorOf(minimize(lossOf(fixed), [])), 'INVALID_ARGUMENT', /At least one/);
    expectError(errorOf(minimize(lossOf(fixed), 'w')), 'INVALID_ARGUMENT', /array of tf.Variable/);
    expectError(errorOf(minimize(lossOf(fixed), [{ name: 'w' }])), 'INVALID_ARGUMENT', /tf.Variable objects/);
    fixed.dispose();
  });

  it('a weight that a log-normal posterior cannot start from, by name, and leaves it as it was', () => {
    const zeros = tf.tidy(() => tf.variable(tf.zeros([2, 2]), true, 'zeros'));
    const before = counts();
    const optimizer = new LMDOptimizer();
    const error = errorOf(() => optimizer.minimize(lossOf(zeros), false, [zeros]));
    expectError(error, 'INVALID_ARGUMENT', /"zeros" have root mean square 0/);
    expect(counts()).toEqual(before);
    const other = new LMDOptimizer({ adamwFor: ['zeros'] });
    other.minimize(lossOf(zeros), false, [zeros]);
    for (const thing of [optimizer, other, zeros]) thing.dispose();
  });

  it('a variable that was disposed of, before and after it was trained', () => {
    const [first, second] = [variable('first'), variable('second', [3, 2], 2)];
    const optimizer = new LMDOptimizer();
    first.dispose();
    const minimize = (list: tf.Variable[]) => () => optimizer.minimize(lossOf(list[0]!), false, list);
    expectError(errorOf(minimize([first])), 'TENSOR_DISPOSED', /"first" was disposed of/);
    minimize([second])();
    second.dispose();
    expectError(errorOf(minimize([second])), 'TENSOR_DISPOSED', /"second"/);
    // Another variable of that name is not the one that was trained.
    const again = variable('second', [3, 2], 3);
    expectError(errorOf(minimize([again])), 'INVALID_ARGUMENT', /other code assigned/);
    again.dispose();
    const larger = variable('second', [4, 2], 3);
    expectError(errorOf(minimize([larger])), 'CHECKPOINT_MISMATCH', /shape \[3,2\], the variable \[4,2\]/);
    optimizer.restart();
    minimize([larger])();
    optimizer.dispose();
    larger.dispose();
  });

  it('a variable of another copy of @tensorflow/tfjs-core', () => {
    // A second copy with an engine of its own, as two incompatible versions, or two windows, have.
    const require = createRequire(import.meta.url);
    const path = require.resolve('@tensorflow/tfjs-core');
    const scope = globalThis as { _tfengine?: unknown };
    const [engine, module] = [scope._tfengine, require.cache[path]];
    delete require.cache[path];
    scope._tfengine = undefined;
    let other: typeof tf;
    try {
      other = require(path);
    } finally {
      scope._tfengine = engine;
      if (module === undefined) delete require.cache[path];
      else require.cache[path] = module;
    }
    expect(other.engine()).not.toBe(tf.engine());
    other.registerBackend('cpu', () => tf.findBackend('cpu'));
    const foreign = other.tidy(() => other.variable(other.tensor2d([[1, 2]]), true, 'foreign'));
    const optimizer = new LMDOptimizer();
    const error = errorOf(() => optimizer.minimize(() => tf.scalar(0), false, [foreign]));
    expectError(error, 'INVALID_ARGUMENT', /"foreign" belongs to another copy.*npm ls @tensorflow\/tfjs-core/);
  });

  it('gradients that were not taken at its draw, or of no variable', () => {
    const w = variable('w');
    const optimizer = new LMDOptimizer();
    const gradient = tf.ones([3, 2]);
    const apply = (name: string) => () => optimizer.applyGradients({ [name]: gradient });
    expectError(errorOf(apply('w')), 'INVALID_ARGUMENT', /not computed at a posterior sample.*computeGradients/);
    expectError(errorOf(apply('v')), 'INVALID_ARGUMENT', /no variable named "v"/);
    const { value, grads } = optimizer.computeGradients(lossOf(w), [w]);
    apply('w')();
    expectError(errorOf(apply('w')), 'INVALID_ARGUMENT', /not computed at a posterior sample of this step/);
    const wrong = tf.ones([2, 3]);
    tf.dispose(optimizer.computeGradients(lossOf(w), [w]));
    expectError(
      errorOf(() => optimizer.applyGradients({ w: wrong })),
      'SHAPE_MISMATCH',
      /gradient of "w"/,
    );
    const several = new LMDOptimizer({ samples: 2 });
    expectError(
      errorOf(() => several.computeGradients(lossOf(w), [w])),
      'UNSUPPORTED',
      /samples is 2.*minimize/,
    );
    expectError(
      errorOf(() => several.applyGradients(grads)),
      'UNSUPPORTED',
      /applyGradients/,
    );
    tf.dispose([value, grads, gradient, wrong]);
    for (const thing of [optimizer, several, w]) thing.dispose();
  });

  it('a saved state that is not its own, and stays as it was', async () => {
    const w = variable('saved');
    const optimizer = new LMDOptimizer({ seed: 2 });
    optimizer.minimize(lossOf(w), false, [w]);
    const weights = await optimizer.getWeights();
    const [iter, ...state] = weights as [(typeof weights)[0], ...typeof weights];
    const set = (options: LMDOptimizerOptions, values: typeof weights) =>
      new LMDOptimizer(options).setWeights(values).catch((error: unknown) => error);
    const renamed = (from: string, to: string) =>
      weights.map(({ name, tensor }) => ({ name: name.replace(from, to), tensor }));
    const before = counts();
    expectError(await set({}, state), 'CHECKPOINT_MISMATCH', /no step count/);
    expectError(await set({}, renamed('saved', 'nobody')), 'INVALID_ARGUMENT', /no variable "nobody"/);
    expectError(await set({}, renamed('logPlus', 'logplus')), 'CHECKPOINT_MISMATCH', /"saved".*logplus/);
    expectError(await set({}, [iter, ...state.slice(1)]), 'CHECKPOINT_MISMATCH', /"saved"/);
    expectError(await set({}, [iter, { name: 'x', tensor: w }]), 'CHECKPOINT_MISMATCH', /"x" names no variable/);
    expectError(await set({ adamwFor: ['saved'] }, weights), 'CHECKPOINT_MISMATCH', /is of lmd, and adamw/);
    expectError(await set({ gradientScaling: 'none' }, weights), 'CHECKPOINT_MISMATCH', /momentumMinus/);
    expect(counts()).toEqual(before);
    // A failed setWeights changes nothing; a state that no variable claims is not passed over in silence.
    await expect(optimizer.setWeights(state)).rejects.toThrow();
    optimizer.minimize(lossOf(w), false, [w]);
    await optimizer.setWeights(await optimizer.getWeights());
    const other = variable('other');
    const error = errorOf(() => optimizer.minimize(lossOf(other), false, [other]));
    expectError(error, 'CHECKPOINT_MISMATCH', /no saved state for other.*saved ones of saved/);
    optimizer.restart();
    optimizer.minimize(lossOf(other), false, [other]);
    for (const thing of [optimizer, w, other, iter.tensor]) thing.dispose();
  });

  it('to store a schedule, and a median of the prior for nobody', () => {
    const error = errorOf(() => new LMDOptimizer({ learningRate: () => 1e-3 }).getConfig());
    expectError(error, 'UNSUPPORTED', /learningRate is a function/);
    const nested = errorOf(() => new LMDOptimizer({ adamw: { learningRate: () => 1e-3 } }).getConfig());
    expectError(nested, 'UNSUPPORTED', /adamw.learningRate/);
    const w = variable('w');
    const optimizer = new LMDOptimizer({ priorMedian: { v: 0.1 } });
    expectError(
      errorOf(() => optimizer.minimize(lossOf(w), false, [w])),
      'INVALID_ARGUMENT',
      /priorMedian contains "v"/,
    );
    w.dispose();
  });
});

describe('configurations', () => {
  it('give the same options back', () => {
    const options: LMDOptimizerOptions = {
      learningRate: 0.02,
      regularizer: 'halfNormalPrior',
      adamwFor: ['a_b/c_1', 'd'],
      adamw: { learningRate: 1e-2 },
      priorMedian: { 'a_b/kernel_2': 0.5 },
      seed: 4,
    };
    const config = new LMDOptimizer(options).getConfig();
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    // As tfjs-layers calls it, with what it adds.
    const copy = LMDOptimizer.fromConfig(LMDOptimizer as never, {
      ...config,
      customObjects: {},
    }) as unknown as LMDOptimizer;
    expect(copy.getConfig()).toEqual(config);
    expect(copy.getClassName()).toBe('LMDOptimizer');
  });
});

describe('two samples in fit', () => {
  it('leave nothing behind, metrics included', async () => {
    await onEngine('cpu');
    const model = sequential({ layers: [layers.dense({ units: 1, inputShape: [3] })] });
    model.compile({ optimizer: new LMDOptimizer({ samples: 2 }), loss: 'meanSquaredError', metrics: ['mae', 'mse'] });
    const [x, y] = [tensor([8, 3]), tensor([8, 1], 2)];
    const fitted = () => model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0 });
    await fitted();
    const before = counts();
    const { history } = await fitted();
    expect(Object.keys(history)).toEqual(['loss', 'mae', 'mse']);
    expect(counts()).toEqual(before);
    tf.dispose([x, y]);
  });
});
