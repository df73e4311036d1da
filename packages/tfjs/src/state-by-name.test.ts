import { isLmdError } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { engines, errorOf, onEngine, onGpu, read, tensor } from '../test/support.js';
import { LMDOptimizer, type LMDOptimizerOptions } from './index.js';
import { drawNames, meantBy } from './variable-names.js';

const filled = (name: string, value: number) => tf.tidy(() => tf.variable(tf.fill([3, 2], value), true, name));
const lossOf =
  (...variables: tf.Variable[]) =>
  () =>
    tf.tidy(() => tf.addN(variables.map((variable) => tf.sum(tf.square(variable)))) as tf.Scalar);

// A GPU sums in another order than a copy of the same state elsewhere; what is tested here is bookkeeping on the host.
describe.each(engines.filter((engine) => !onGpu(engine)))('state by name on %s', (engine) => {
  beforeEach(() => onEngine(engine));

  const options: LMDOptimizerOptions = { learningRate: 0.01, noise: 0.1, seed: 3 };
  const step = (optimizer: LMDOptimizer, ...variables: tf.Variable[]) =>
    optimizer.minimize(lossOf(...variables), false, variables);
  async function restored(from: LMDOptimizer): Promise<LMDOptimizer> {
    const optimizer = new LMDOptimizer(options);
    await optimizer.setWeights(await from.getWeights());
    return optimizer;
  }

  it.each([
    ['net/w_1', 'net/w_2'],
    ['net/w', 'net/w_1'],
    ['net/w_1', 'net/w'],
    ['net/w_2', 'net/w_1'],
  ])('of %s is never given to %s', async (trained, other) => {
    const [a, b] = [filled(trained, 1), filled(other, -1)];
    const first = new LMDOptimizer(options);
    step(first, a);
    expect((await first.getWeights()).map(({ name }) => name)).toContain(`${trained}/logPlus`);
    const second = await restored(first);
    const error = errorOf(() => step(second, b));
    expect(isLmdError(error, 'CHECKPOINT_MISMATCH'), String(error)).toBe(true);
    expect(error.message).toContain(
      `no saved state for ${other}, and no variable to train for the saved ones of ${trained}`,
    );
    expect([...(await read(b))]).toEqual(Array(6).fill(-1));
    // Nor where its own variable is gone.
    a.dispose();
    const third = new LMDOptimizer(options);
    const gone = await third.setWeights(await first.getWeights()).catch((caught: unknown) => caught);
    expect(isLmdError(gone, 'INVALID_ARGUMENT'), String(gone)).toBe(true);
    expect((gone as Error).message).toMatch(/hold other weights.*load the saved weights/s);
    for (const thing of [first, second, third, b]) thing.dispose();
  });

  it('continues bit-identically for the variable that was trained, and starts fresh for another one', async () => {
    const [a, b] = [filled('net/w_1', 1), filled('net/w_2', -1)];
    const first = new LMDOptimizer(options);
    step(first, a);
    const second = await restored(first);
    const [held, started] = [a.clone(), b.clone()];
    step(first, a, b);
    const expected = [await read(a), await read(b)];
    a.assign(held as tf.Tensor<tf.Rank>);
    b.assign(started as tf.Tensor<tf.Rank>);
    step(second, b, a);
    expect([await read(a), await read(b)]).toEqual(expected);
    expect(Math.abs((await read(b))[0]! + 1)).toBeLessThan(0.1);
    for (const thing of [first, second, a, b, held, started]) thing.dispose();
  });

  it('continues bit-identically where the second variable joined a step later', async () => {
    const [a, b] = [filled('net/w_1', 1), filled('net/w_2', -1)];
    const first = new LMDOptimizer(options);
    step(first, a);
    step(first, a, b);
    const second = await restored(first);
    const [one, two] = [a.clone(), b.clone()];
    step(first, a, b);
    const expected = [await read(a), await read(b)];
    a.assign(one as tf.Tensor<tf.Rank>);
    b.assign(two as tf.Tensor<tf.Rank>);
    step(second, a, b);
    expect([await read(a), await read(b)]).toEqual(expected);
    for (const thing of [first, second, a, b, one, two]) thing.dispose();
  });

  it('goes to a renamed copy that holds the saved weights, to the same bits', async () => {
    const a = filled('net/w', 1);
    const first = new LMDOptimizer(options);
    step(first, a);
    const copy = tf.variable(a.clone(), true, 'net/w_1');
    const second = await restored(first);
    step(first, a);
    step(second, copy);
    expect(await read(copy)).toEqual(await read(a));
    // The copy is saved under its own name, and continues where only the original name is known.
    const saved = (await second.getWeights()).map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }));
    expect(saved.map(({ name }) => name)).toContain('net/w_1/logPlus');
    step(second, copy);
    const expected = await read(copy);
    copy.dispose();
    const third = new LMDOptimizer(options);
    await third.setWeights(saved);
    step(third, a);
    expect(await read(a)).toEqual(expected);
    tf.dispose(saved.map(({ tensor }) => tensor));
    for (const thing of [first, second, third, a]) thing.dispose();
  });

  it('is refused where two copies could be meant', async () => {
    const a = filled('net/w', 1);
    const first = new LMDOptimizer(options);
    step(first, a);
    const copies = [1, 2].map((number) => tf.variable(a.clone(), true, `net/w_${number}`));
    const second = await restored(first);
    const error = errorOf(() => step(second, ...copies));
    expect(isLmdError(error, 'CHECKPOINT_MISMATCH'), String(error)).toBe(true);
    // Each by itself is the only one that is trained.
    const third = await restored(first);
    step(third, copies[1]!);
    step(first, a);
    expect(await read(copies[1]!)).toEqual(await read(a));
    for (const thing of [first, second, third, a, ...copies]) thing.dispose();
  });

  it('of options: names are exact, where there is a variable of that name', async () => {
    const [a, b] = [filled('net/w_1', 1), filled('net/w_2', 1)];
    const optimizer = new LMDOptimizer({ adamwFor: ['net/w_1'], priorMedian: { 'net/w_2': 0.5 } });
    step(optimizer, a, b);
    const names = (await optimizer.getWeights()).map(({ name }) => name);
    expect(names).toContain('net/w_1/firstMoment');
    expect(names).toContain('net/w_2/logPlus');
    const saved = (await optimizer.getWeights()).find(({ name }) => name === 'net/w_2/logPriorMedian')!;
    expect((await read(saved.tensor))[0]).toBeCloseTo(Math.log(0.5), 6);
    const typo = new LMDOptimizer({ adamwFor: ['net/v'] });
    const error = errorOf(() => step(typo, a));
    expect(isLmdError(error, 'INVALID_ARGUMENT') && error.message).toMatch(
      /adamwFor contains "net\/v", which is not a variable/,
    );
    for (const thing of [optimizer, typo, a, b]) thing.dispose();
  });

  it('of a model that is loaded while two of its kind are alive', async () => {
    const build = () =>
      sequential({ layers: [layers.dense({ units: 2, inputShape: [3], name: 'twice', useBias: false })] });
    const [model, beside] = [build(), build()];
    const x = tensor([4, 3], 2);
    const y = tensor([4, 2], 3);
    const fitted = (which: ReturnType<typeof build>) => which.fit(x, y, { batchSize: 4, verbose: 0, shuffle: false });
    for (const one of [model, beside]) one.compile({ optimizer: new LMDOptimizer(options), loss: 'meanSquaredError' });
    await fitted(beside);
    let artifacts: tf.io.ModelArtifacts | undefined;
    const handler = tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved) };
    });
    await beside.save(handler, { includeOptimizer: true });
    const copy = (await loadLayersModel(tf.io.fromMemory(artifacts!))) as typeof model;
    await fitted(beside);
    await fitted(copy);
    expect(await read(copy.getWeights()[0]!)).toEqual(await read(beside.getWeights()[0]!));
    for (const one of [model, beside, copy]) one.dispose();
    tf.dispose([x, y]);
  });
});

describe('names', () => {
  it('draw by the original, unless two share it', () => {
    const drawn = (...names: string[]) => [...drawNames(names).values()];
    expect(drawn('dense/kernel_2', 'dense/bias_2')).toEqual(['dense/kernel', 'dense/bias']);
    expect(drawn('net/w_1', 'net/w_2')).toEqual(['net/w_1', 'net/w_2']);
    expect(drawn('net/w_1_1', 'net/w_2_1')).toEqual(['net/w_1', 'net/w_2']);
    expect(drawn('net/w_1_1', 'net/w_1')).toEqual(['net/w_1_1', 'net/w']);
    expect(drawn('w_1')).toEqual(['w_1']);
  });

  it('of an option mean one variable or none', () => {
    const registered = new Set(['net/w', 'net/w_1', 'net/w_2', 'net/w_1_1']);
    const meant = (name: string, ...own: string[]) => meantBy(name, own, (one) => registered.has(one));
    expect(meant('net/w_1', 'net/w_1', 'net/w_2')).toBe('net/w_1');
    expect(meant('net/w_1', 'net/w_2')).toBeUndefined();
    expect(meant('net/w_1', 'net/w_1_1')).toBe('net/w_1_1');
    expect(meant('net/w_7', 'net/w')).toBe('net/w');
    expect(meant('net/w_7', 'net/w', 'net/w_2')).toBeUndefined();
  });
});
