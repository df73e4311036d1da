import { isLmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { engines, errorOf, onEngine, read } from '../test/support.js';
import { LMDOptimizer, type LMDOptimizerOptions } from './index.js';

describe.each(engines)('hyper-parameters as properties on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  async function started(options: LMDOptimizerOptions, shape = [3, 2]) {
    const w = tf.tidy(() => tf.variable(tf.ones(shape), true, 'hyper/w'));
    const optimizer = new LMDOptimizer(options);
    await optimizer.initialize([w]);
    const step = async () => {
      optimizer.minimize(() => tf.tidy(() => tf.sum(tf.square(w)) as tf.Scalar), false, [w]);
      return [...(await read(w))];
    };
    const dispose = () => {
      w.dispose();
      optimizer.dispose();
    };
    return { w, optimizer, step, dispose };
  }

  it('obeys learningRate = 0, and a rate or a schedule after it', async () => {
    const { optimizer, step, dispose } = await started({ learningRate: 0.01, noise: 0, regularization: 0 });
    const first = await step();
    expect(first[0]).toBeCloseTo(0.98205, 4);
    optimizer.learningRate = 0;
    expect(await step()).toEqual(first);
    optimizer.setLearningRate(0.01);
    const third = await step();
    expect(third[0]).toBeCloseTo(0.9642, 3);
    optimizer.learningRate = (at) => (at === 3 ? 0 : 1);
    expect(await step()).toEqual(third);
    dispose();
  });

  it('obeys those of AdamW', async () => {
    const { optimizer, step, dispose } = await started({ adamw: { weightDecay: 0 } }, [3]);
    const first = await step();
    expect(optimizer.adamw.learningRate).toBe(1e-3);
    optimizer.adamw.learningRate = 0;
    expect(await step()).toEqual(first);
    optimizer.adamw = { learningRate: 0.5 };
    expect((await step())[0]! - first[0]!).toBeLessThan(-0.1);
    expect(() => {
      (optimizer.adamw as { lr?: number }).lr = 1;
    }).toThrow(/lr/);
    dispose();
  });

  it('trains BF16 weights by AdamW if asked', async () => {
    const { step, dispose } = await started({ adamw: { weightFormat: 'bf16', learningRate: 0.0123 } }, [3]);
    for (let index = 0; index < 3; index++) {
      const bits = new Uint32Array(Float32Array.of((await step())[0]!).buffer)[0]!;
      expect(bits & 0xffff).toBe(0);
    }
    dispose();
  });

  it('takes the steps of an optimizer that was made with what is assigned', async () => {
    const same: LMDOptimizerOptions = { noise: 0.1, priorMedian: 0.5, priorMedianFloor: 0.5 };
    const assigned: LMDOptimizerOptions = {
      learningRate: 0.03,
      beta1: 0.5,
      beta2: 0.8,
      regularization: 0.1,
      regularizer: 'halfNormalPrior',
      samples: 2,
      useSign: false,
      evaluation: 'median',
      seed: 8,
    };
    const made = await started({ ...same, ...assigned });
    await made.step();
    const expected = await made.step();
    made.dispose();
    const plain = await started(same);
    Object.assign(plain.optimizer, assigned);
    await plain.step();
    expect(await plain.step()).toEqual(expected);
    plain.dispose();
  });

  it('refuses what the state was made with, bad values, and the names of other optimizers, and then keeps its own', async () => {
    const { optimizer, step, dispose } = await started({ learningRate: 0.01 });
    const assign = (name: string, value: unknown) => errorOf(() => Object.assign(optimizer, { [name]: value }));
    for (const name of [
      'gradientScaling',
      'stateFormat',
      'priorMedian',
      'priorMedianFloor',
      'initialization',
      'adamwFor',
    ]) {
      const error = assign(name, 'none');
      expect(isLmdError(error, 'INVALID_ARGUMENT') && error.message, name).toMatch(`${name} cannot change once`);
    }
    expect(assign('learningRate', -1).message).toMatch(/learningRate is -1/);
    expect(assign('samples', 0.5).message).toMatch(/samples/);
    expect(assign('seed', -1).message).toMatch(/seed is -1/);
    for (const name of ['lr', 'decay', 'momentum', 'epsilon', 'weightDecay']) {
      const error = assign(name, 1);
      expect(isLmdError(error, 'UNKNOWN_OPTION') && error.message, name).toMatch(
        `LMDOptimizer has no option "${name}"`,
      );
    }
    expect(optimizer.learningRate).toBe(0.01);
    expect(optimizer.getConfig()).toEqual({ learningRate: 0.01 });
    await step();
    optimizer.restart();
    optimizer.gradientScaling = 'none';
    expect(optimizer.getConfig()).toEqual({ learningRate: 0.01, gradientScaling: 'none' });
    dispose();
  });

  it('refuses what is assigned to a name that it does not have, at the next step, but lets subclasses have fields', async () => {
    const { w, optimizer, step, dispose } = await started({});
    const loss = () => tf.tidy(() => tf.sum(tf.square(w)) as tf.Scalar);
    for (const name of ['learning_rate', 'learningrate', 'Noise']) {
      Object.assign(optimizer, { [name]: 0 });
      for (const act of [() => optimizer.minimize(loss, false, [w]), () => optimizer.computeGradients(loss, [w])]) {
        const error = errorOf(act);
        expect(isLmdError(error, 'UNKNOWN_OPTION') && error.message, name).toMatch(`no option "${name}"`);
      }
      delete (optimizer as unknown as Record<string, unknown>)[name];
    }
    await step();
    class Named extends LMDOptimizer {
      readonly label = 'mine';
    }
    const named = new Named();
    await named.initialize([w]);
    optimizer.restart();
    named.minimize(loss, false, [w]);
    named.dispose();
    dispose();
  });

  it('refuses gradients that were taken at a draw of other noise', async () => {
    const { w, optimizer, dispose } = await started({});
    const gradients = () => optimizer.computeGradients(() => tf.tidy(() => tf.sum(tf.square(w)) as tf.Scalar), [w]);
    const first = gradients();
    optimizer.noise = 0.3;
    expect(errorOf(() => optimizer.applyGradients(first.grads)).message).toMatch(
      /not computed at a posterior sample of this step/,
    );
    const second = gradients();
    optimizer.learningRate = 0.1;
    optimizer.applyGradients(second.grads);
    tf.dispose([first, second] as unknown as tf.Tensor[]);
    dispose();
  });
});

it('gives the defaults where nothing was said', () => {
  const optimizer = new LMDOptimizer();
  expect(optimizer.learningRate).toBe(7e-3);
  expect(optimizer.samples).toBe(1);
  expect(optimizer.adamwFor).toBe('vectors');
  expect({ ...optimizer.adamw }).toEqual({
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    weightFormat: 'f32',
    momentFormat: 'f32',
    errorFeedback: false,
  });
  optimizer.learningRate = (optimizer.learningRate as number) / 7;
  expect(optimizer.learningRate).toBeCloseTo(1e-3, 12);
});
