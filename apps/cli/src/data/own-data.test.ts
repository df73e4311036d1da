import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImagePreprocessing } from '@lmd/core';
import { preprocessImage } from '@lmd/data/images';
import { decodeImage } from '@lmd/data/node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/lmd.js';
import { dataSchema } from '../configuration/data-schema.js';
import { describeData, geometryOf, loadData, locateData, tokenizerOf } from './index.js';

const root = temporaryFolder();
const at = (...path: string[]) => join(root, ...path);
const everything = (size: number) => Int32Array.from({ length: size }, (_, index) => index);

async function place(grey: number, ...path: string[]): Promise<void> {
  mkdirSync(at(...path.slice(0, -1)), { recursive: true });
  const create = { width: 12, height: 10, channels: 3, background: { r: grey, g: grey, b: grey } } as const;
  await sharp({ create })
    .png()
    .toFile(at(...path));
}

/** One folder of class folders with so many images each, all images of a class alike. */
async function flat(name: string, counts: Readonly<Record<string, number>>): Promise<string> {
  for (const [label, [className, count]] of Object.entries(counts).entries()) {
    for (let image = 0; image < count; image++) await place(40 + 60 * label, name, className, `${image}.png`);
  }
  return at(name);
}

const folder = (path: string, rest: object = {}) =>
  dataSchema.parse({ kind: 'imageFolder', folder: path, size: 8, ...rest });
const load = (configuration: ReturnType<typeof folder>, seed = 0) => loadData(locateData(configuration), seed);
const sizes = async (configuration: ReturnType<typeof folder>) => {
  const data = await load(configuration);
  await data.close?.();
  return [data.train.size, data.validation.size, data.test.size];
};
const labels = async (dataset: Awaited<ReturnType<typeof load>>['train']) => [
  ...(await dataset.batch(everything(dataset.size))).labels.data,
];

describe('one folder of class folders', async () => {
  const pets = await flat('pets', { cat: 20, dog: 12, fox: 4 });

  it('is split into three parts by seed, each with every class, and what is not used is named', async () => {
    writeFileSync(at('pets', 'labels.xlsx'), 'a table');
    writeFileSync(at('pets', 'dog', 'scan.bmp'), 'BM');
    const data = await load(folder(pets));
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([30, 3, 3]);
    for (const part of [data.validation, data.test]) expect(await labels(part)).toEqual([0, 1, 2]);
    expect(data.unused).toEqual([at('pets', 'labels.xlsx'), at('pets', 'dog', 'scan.bmp')]);
    const again = await load(folder(pets));
    const other = await load(folder(pets), 1);
    expect(again.test.fingerprint).toBe(data.test.fingerprint);
    expect(other.test.fingerprint).not.toBe(data.test.fingerprint);
    for (const one of [data, again, other]) await one.close!();
  });

  it('takes numbers and fractions', async () => {
    expect(await sizes(folder(pets, { validation: 6, test: 0.25 }))).toEqual([21, 6, 9]);
    expect(await sizes(folder(pets, { validation: 0.5, test: 3 }))).toEqual([15, 18, 3]);
  });

  it.each([
    [{ validation: 2 }, /data.validation is 2, but there are 36 images of 3 classes.*from 3 to 30, or a fraction/],
    [{ test: 2000 }, /data.test is 2000, but there are 36 images/],
    [{ test: 0.01 }, /data.test is 0.01, which is 0 examples, but/],
    [{ validation: 20, test: 20 }, /data.validation is 20, but data.test is 20.*together at most 33/],
  ])('refuses %o', async (rest, message) => {
    await expect(sizes(folder(pets, rest))).rejects.toThrow(message);
  });

  it('refuses a class that is too small, naming it', async () => {
    await expect(sizes(folder(await flat('small', { cat: 9, dog: 2 })))).rejects.toThrow(
      /The class dog has 2 images, but each of 3 parts needs one.*at least 3, or remove the class/,
    );
  });

  it('refuses a folder without class folders', async () => {
    await place(0, 'loose', 'a.png');
    expect(() => locateData(folder(at('loose')))).toThrow(/data.folder is .*loose, but it has no subfolders/);
    expect(() => locateData(folder(at('nowhere')))).toThrow(/nowhere, but it does not exist/);
  });
});

describe('a folder of parts', () => {
  it('validates on val where there is also test, and refuses keys that it decides', async () => {
    for (const part of ['train', 'val', 'test'])
      await flat(join('parts', part), { cat: 2, dog: part === 'val' ? 3 : 1 });
    mkdirSync(at('parts', 'unlabelled'));
    const data = await load(folder(at('parts')));
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([3, 5, 3]);
    expect(data.unused).toEqual([at('parts', 'unlabelled')]);
    await data.close!();
    await expect(sizes(folder(at('parts'), { test: 0.1 }))).rejects.toThrow(
      /data.test is 0.1, but .*test has the test/,
    );
    await expect(sizes(folder(at('parts'), { validation: 1 }))).rejects.toThrow(/data.validation is 1, but .*val has/);
    rmSync(at('parts', 'val'), { recursive: true });
    expect(await sizes(folder(at('parts'), { validation: 1 }))).toEqual([2, 1, 3]);
  });
});

describe('a CSV file of images', async () => {
  await flat('listed', { cat: 6, dog: 6 });
  const rows = ['cat', 'dog'].flatMap((name) => [...everything(6)].map((i) => `${name}/${i}.png,${name}`));
  const path = at('listed', 'labels.csv');
  writeFileSync(path, `file,animal\n${rows.join('\n')}\n`);
  const csv = (rest: object = {}) =>
    dataSchema.parse({ kind: 'imageCsv', path, pathColumn: 'file', labelColumn: 'animal', size: 8, ...rest });

  it('is split like a folder of classes', async () => {
    expect(geometryOf(csv())).toMatchObject({ classes: 2, classNames: ['cat', 'dog'], preprocessing: { height: 8 } });
    const data = await load(csv());
    expect([data.train.size, data.validation.size, data.test.size]).toEqual([8, 2, 2]);
    expect(await labels(data.test)).toEqual([0, 1]);
    expect(describeData(csv(), data)).toBe(`images from ${path}: 8 training, 2 validation and 2 test images`);
    await data.close!();
  });

  it('refuses columns that are not there, before a run starts', () => {
    expect(() => locateData(csv({ labelColumn: 'label' }))).toThrow(/line 1: there is no column label/);
    expect(() => locateData(csv({ path: at('no.csv') }))).toThrow(/data.path is .*no.csv, which does not exist/);
  });
});

describe('preprocessing', () => {
  it('is the same for every part, and what the configuration says', async () => {
    mkdirSync(at('shades', 'only'), { recursive: true });
    // Stored lying, to be turned: from white at the left to black at the right.
    const lying = Buffer.from(Uint8Array.from({ length: 16 * 8 * 3 }, (_, i) => 255 - 17 * Math.floor((i % 48) / 3)));
    for (const name of ['a', 'b', 'c']) {
      await sharp(lying, { raw: { width: 16, height: 8, channels: 3 } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toFile(at('shades', 'only', `${name}.jpg`));
    }
    const inputs = async (preprocessing: object) => {
      const data = await load(folder(at('shades'), { size: 4, preprocessing }));
      const batches = await Promise.all(
        [data.train, data.validation, data.test].map(async (part) => (await part.batch(everything(1))).inputs.data),
      );
      await data.close!();
      expect(batches[1]).toEqual(batches[0]);
      expect(batches[2]).toEqual(batches[0]);
      return [...batches[0]!];
    };
    const plain = { mean: 0, standardDeviation: 1, fit: 'stretch' };
    const upright = await inputs(plain);
    const stored = await inputs({ ...plain, orientation: 'stored' });
    // Turned by 90°, white is on top.
    expect([upright[0]! > 0.8, upright.at(-1)! < 0.2, upright[9]! > 0.8]).toEqual([true, true, true]);
    expect([stored[0]! > 0.8, stored.at(-1)! < 0.2, stored[9]! > 0.8]).toEqual([true, true, false]);
    const whole = await inputs({ mean: 0, standardDeviation: 1 });
    expect(whole).not.toEqual(upright);
    expect(await inputs({ mean: 0, standardDeviation: 1, cropFraction: 0.5 })).not.toEqual(whole);
    expect(await inputs({ ...plain, interpolation: 'bicubic' })).not.toEqual(upright);
    expect((await inputs({ ...plain, mean: [1, 0, 0] }))[0]).toBeCloseTo(upright[0]! - 1, 5);
  });
});

describe('decoding at a reduced size', () => {
  it('is the same for every part, in a folder, in its parts and in a CSV file, and for a prediction', async () => {
    const noise = Buffer.from(Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * i * 7) % 251));
    const jpeg = await sharp(noise, { raw: { width: 64, height: 48, channels: 3 } })
      .jpeg()
      .toBuffer();
    const place = (...path: string[]) => {
      mkdirSync(at('large', ...path.slice(0, -1)), { recursive: true });
      writeFileSync(at('large', ...path), jpeg);
    };
    for (const name of ['a', 'b', 'c']) place('flat', 'only', `${name}.jpg`);
    for (const part of ['train', 'val', 'test']) place('parts', part, 'only', 'a.jpg');
    writeFileSync(
      at('large', 'rows.csv'),
      `path,label\n${['a', 'b', 'c'].map((n) => `flat/only/${n}.jpg,x`).join('\n')}\n`,
    );
    const sources = { flat: { folder: at('large', 'flat') }, parts: { folder: at('large', 'parts') } };
    const reduced = { decoding: 'reduced' } as const;
    const parsed = (rest: object, preprocessing: object) =>
      dataSchema.parse({ kind: 'imageFolder', size: 8, preprocessing, ...rest }) as ReturnType<typeof folder>;
    const inputs = async (configuration: ReturnType<typeof folder>) => {
      const data = await load(configuration);
      const parts = [data.train, data.validation, data.test];
      const batches = await Promise.all(parts.map(async (part) => (await part.batch(everything(1))).inputs.data));
      await data.close!();
      expect(batches[1]).toEqual(batches[0]);
      expect(batches[2]).toEqual(batches[0]);
      return batches[0];
    };
    const geometry = geometryOf(locateData(parsed(sources.flat, reduced)));
    const { preprocessing } = geometry as { preprocessing: ImagePreprocessing };
    expect(preprocessing).toMatchObject({ height: 8, decoding: 'reduced' });
    // What `lmd predict` and `loadModel` do with the preprocessing that the model has.
    const image = await decodeImage(jpeg, { preprocessing });
    expect([image.width, image.height]).toEqual([32, 24]);
    const expected = preprocessImage(image, preprocessing);
    for (const rest of [...Object.values(sources), { kind: 'imageCsv', path: at('large', 'rows.csv') }]) {
      expect(await inputs(parsed(rest, reduced))).toEqual(expected);
      expect(await inputs(parsed(rest, {}))).not.toEqual(expected);
      expect(await inputs(parsed(rest, { decoding: 'full' }))).toEqual(await inputs(parsed(rest, {})));
    }
    expect(geometryOf(locateData(parsed(sources.flat, {})))).not.toHaveProperty('preprocessing.decoding');
    expect(() => parsed(sources.flat, { decoding: 'draft' })).toThrow(/full/);
  });
});

describe('text as it is', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `Line ${i} of the book.\n`);
  writeFileSync(at('book.txt'), lines.join(''));
  const text = (rest: object = {}) =>
    dataSchema.parse({ kind: 'text', path: at('book.txt'), tokenizer: 'characters', length: 16, ...rest });

  it('is tokenized in memory, split by seed, and known again', async () => {
    const configuration = locateData(text());
    const characters = [...new Set(lines.join(''))].sort();
    expect(tokenizerOf(configuration)).toEqual({ name: 'characters', characters });
    expect(geometryOf(configuration)).toEqual({ kind: 'tokens', vocabularySize: characters.length + 1, length: 16 });
    const prints = async (seed: number) => {
      const { train, validation, test } = await loadData(configuration, seed);
      expect(validation.size - test.size).toBeLessThanOrEqual(1);
      expect((validation.size + test.size) / train.size).toBeCloseTo(1 / 9, 1);
      return [train, validation, test].map(({ fingerprint }) => fingerprint);
    };
    expect(await prints(0)).toEqual(await prints(0));
    expect(await prints(0)).not.toEqual(await prints(1));
    const data = await loadData(configuration, 0);
    expect(describeData(configuration, data)).toMatch(
      /book.txt \(1 document, \d+,\d+ characters, one token for each\): /,
    );
    const before = await prints(0);
    writeFileSync(at('book.txt'), lines.join('').replace('Line 7 ', 'Line 8 '));
    expect(await prints(0)).not.toEqual(before);
  });

  it('has the tokens of GPT-2 where that is asked for', async () => {
    const configuration = text({ tokenizer: 'gpt2' });
    const { train } = await loadData(configuration, 0);
    const geometry = geometryOf(configuration);
    expect(geometry).toMatchObject({ vocabularySize: train.classes });
    expect(tokenizerOf(configuration)).toEqual({ name: 'gpt2' });
  });

  it('takes JSON Lines and folders, and names what is not used', async () => {
    mkdirSync(at('corpus'));
    writeFileSync(at('corpus', 'a.jsonl'), lines.map((line) => JSON.stringify({ body: line })).join('\n'));
    writeFileSync(at('corpus', 'table.xlsx'), 'a table');
    const data = await loadData(text({ path: at('corpus'), field: 'body' }), 0);
    expect(data.unused).toEqual([at('corpus', 'table.xlsx')]);
    expect(data.train.size).toBeGreaterThan(400);
  });

  it.each([
    [{ length: 100_000 }, /data.length is 100000, but the training text has only \d+ tokens/],
    [{ length: 900 }, /data.length is 900, but the held-out text \(data.validation is 0.1\) has only \d+ tokens/],
  ])('refuses %o', async (rest, message) => {
    await expect(loadData(text(rest), 0)).rejects.toThrow(message);
  });

  it('refuses text that is not there', () => {
    expect(() => locateData(text({ path: at('no.txt') }))).toThrow(/data.path is .*no.txt, which does not exist/);
  });
});
