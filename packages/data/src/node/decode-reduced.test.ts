import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImagePreprocessing } from '@lmd/core';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { rejection, temporaryFolder } from '../../test/temporary-folder.js';
import {
  type PreprocessingOptions,
  preprocessImage,
  type ReductionTarget,
  reductionOf,
  transformImages,
} from '../images/index.js';
import { decodeImage, imageDecoder, openImageFolder } from './index.js';

const folder = fileURLToPath(new URL('../../test/golden/', import.meta.url));
type Expected = { readonly size: readonly [number, number]; readonly data: string };
const golden: Record<string, Record<string, Expected>> = JSON.parse(
  await readFile(join(folder, 'reduced', 'expected.json'), 'utf8'),
);
const base = await temporaryFolder();
const large = join(folder, 'reduced', '420.jpg');

const reduced = (height: number, width = height): PreprocessingOptions & ReductionTarget => ({
  ...{ height, width, fit: 'stretch', cropFraction: 1, decoding: 'reduced' },
});
const decoded = async (path: string, preprocessing?: PreprocessingOptions, orientation?: 'stored') =>
  decodeImage(await readFile(path), {
    path,
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(orientation === undefined ? {} : { orientation }),
  });

describe('decoding at a reduced size', () => {
  // The pictures of 17 × 13 pixels do not suffice for any input at 1/8.
  const cases = Object.entries(golden).flatMap(([name, sizes]) =>
    [2, 4, 8].filter((k) => k < 8 || name.startsWith('reduced/')).map((k) => [name, k, sizes[k]!] as const),
  );

  it.each(cases)('of %s at 1/%i gives the pixels of Pillow', async (name, k, { size, data }) => {
    // The largest square input for which this reduction suffices.
    const preprocessing = reduced(Math.floor(Math.min(...size) / 2));
    const decoder = imageDecoder(2, 'exif', preprocessing);
    const path = join(folder, name);
    const image = await decoder.decode(path);
    await decoder.close();
    expect([image.width, image.height, image.channels]).toEqual([...size, 3]);
    expect(Buffer.from(image.data).toString('base64'), `1/${k}`).toBe(data);
    expect(await decodeImage(await readFile(path), { preprocessing }), 'without a path').toEqual(image);
  });

  it('is that of the image as it is turned', async () => {
    const turned = join(folder, 'reduced', 'turned-8.jpg');
    // 61 × 45 pixels as stored, 45 × 61 as turned.
    const wide = reduced(5, 15);
    expect([reductionOf({ width: 61, height: 45 }, wide), reductionOf({ width: 45, height: 61 }, wide)]).toEqual([
      2, 1,
    ]);
    expect(await decoded(turned, wide)).toMatchObject({ width: 45, height: 61 });
    expect(await decoded(turned, reduced(5))).toMatchObject({
      reducedFrom: { width: 45, height: 61, by: 4, top: 1, left: 0 },
    });
    expect(await decoded(large, reduced(5))).toMatchObject({
      reducedFrom: { width: 61, height: 45, by: 4, top: 0, left: 0 },
    });
    expect(await decoded(turned, wide, 'stored')).toMatchObject({ width: 30, height: 22 });
    expect(await decoded(large, wide)).toMatchObject({ width: 30, height: 22 });
    const high = reduced(15, 5);
    expect(await decoded(turned, high)).toMatchObject({ width: 22, height: 30 });
    expect(await decoded(turned, high, 'stored')).toMatchObject({ width: 61, height: 45 });
  });

  const parts = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((orientation) => [
    [orientation, { fit: 'crop', cropFraction: 1 }] as const,
    [orientation, { fit: 'crop', cropFraction: 0.9 }] as const,
    [orientation, { fit: 'stretch', cropFraction: 1 }] as const,
  ]);

  it.each(parts)('keeps the same part of an image of orientation %i: %o', async (orientation, fit) => {
    // A slope of one level a pixel, of which the last rows and columns are left out.
    const [width, height] = [127, 119];
    const slope = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return (pixel % width) + Math.floor(pixel / width);
    });
    const path = join(base, `slope-${orientation}.jpg`);
    const image = sharp(slope, { raw: { width, height, channels: 3 } });
    await writeFile(path, await image.jpeg({ quality: 100 }).withMetadata({ orientation }).toBuffer());
    const preprocessing: ImagePreprocessing = {
      ...{ ...fit, height: 6, width: 6, channels: 3, interpolation: 'bilinear', orientation: 'exif' },
      ...{ mean: [0, 0, 0], standardDeviation: [1 / 255, 1 / 255, 1 / 255], decoding: 'reduced' },
    };
    const small = await decoded(path, preprocessing);
    const isTurned = orientation > 4;
    expect([small.width, small.height]).toEqual(isTurned ? [14, 15] : [15, 14]);
    const [input, full] = [small, await decoded(path)].map((pixels) => preprocessImage(pixels, preprocessing));
    // Those at the border lack what is left out. A shift by that, or by a pixel of the reduced image, would be 7 or 8.
    const isInner = (i: number) => [Math.floor(i / 18), Math.floor(i / 3) % 6].every((at) => at > 0 && at < 5);
    const differences = [...input!].map((value, i) => (isInner(i) ? Math.abs(value - full![i]!) : 0));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  });

  // Not for every input: of side 2, at 1/8, decoding changes more than the filter does.
  it.each([5, 8, 11])('changes an input of side %i by less than half of what another filter does', async (side) => {
    const preprocessing: ImagePreprocessing = {
      ...{ height: side, width: side, channels: 3, fit: 'crop', cropFraction: 1, orientation: 'exif' },
      ...{ interpolation: 'bilinear', mean: [0, 0, 0], standardDeviation: [1, 1, 1], decoding: 'reduced' },
    };
    const full = await decoded(large);
    const input = preprocessImage(full, preprocessing);
    const distance = (other: Float32Array) => input.reduce((sum, value, i) => sum + Math.abs(value - other[i]!), 0);
    const byDecoding = distance(preprocessImage(await decoded(large, preprocessing), preprocessing));
    const byFilter = distance(preprocessImage(full, { ...preprocessing, interpolation: 'bicubic' }));
    expect(byDecoding).toBeGreaterThan(0);
    expect(byDecoding).toBeLessThan(byFilter / 2);
  });

  it('is full for other formats, small images and inputs that need it', async () => {
    const tiny = reduced(1);
    for (const name of ['rgb.png', 'lossless.webp', 'rgb.gif', 'lzw.tif', 'rgb.avif']) {
      const path = join(folder, 'pictures', name);
      expect(await decoded(path, tiny), name).toEqual(await decoded(path));
    }
    for (const preprocessing of [reduced(12), { ...tiny, decoding: 'full' as const }, { height: 1, width: 1 }]) {
      expect(await decoded(large, preprocessing)).toEqual(await decoded(large));
    }
    expect(await decoded(large, reduced(11))).toMatchObject({ width: 30, height: 22 });
  });

  it('takes any name of a file, and notices that a file has changed', async () => {
    const expected = await decoded(large, reduced(5));
    await mkdir(join(base, 'of [1] "them"'), { recursive: true });
    for (const name of ["it's [shrink=2].jpg", 'a[1]', 'of [1] "them"/]a, b=c%.jpg']) {
      const path = join(base, name.replaceAll('"', process.platform === 'win32' ? '' : '"'));
      await copyFile(large, path);
      expect(await decoded(path, reduced(5)), name).toEqual(expected);
    }
    const path = join(base, 'changing.jpg');
    await copyFile(large, path);
    expect(await decoded(path, reduced(5))).toEqual(expected);
    await copyFile(join(folder, 'reduced', 'cmyk.jpg'), path);
    const changed = await decoded(path, reduced(5));
    expect(changed).toEqual(await decoded(join(folder, 'reduced', 'cmyk.jpg'), reduced(5)));
    expect(changed).not.toEqual(expected);
  });

  it('leaves no temporary files', async () => {
    const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('lmd-image-'));
    const before = await left();
    const bytes = await readFile(large);
    await decodeImage(bytes, { preprocessing: reduced(5) });
    await rejection(decodeImage(bytes.subarray(0, 700), { preprocessing: reduced(5) }));
    expect((await left()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it('refuses a cut file, too many pixels and a file that is not the one that was read', async () => {
    const bytes = await readFile(large);
    const path = join(base, 'cut.jpg');
    for (const length of [400, 700, bytes.length - 30]) {
      await writeFile(path, bytes.subarray(0, length));
      for (const file of [{}, { path }]) {
        const failure = rejection(decodeImage(bytes.subarray(0, length), { ...file, preprocessing: reduced(5) }));
        expect(await failure, `cut at ${length}`).toMatchObject({ code: 'DATA_CORRUPT' });
      }
    }
    const claiming = Buffer.from(bytes);
    const frame = claiming.indexOf(Buffer.of(0xff, 0xc0)) + 5;
    claiming.writeUInt16BE(60_000, frame);
    claiming.writeUInt16BE(60_000, frame + 2);
    await expect(decodeImage(claiming, { preprocessing: reduced(5) })).rejects.toThrow(
      /60000 × 60000 pixels are too many/,
    );
    const other = join(folder, 'pictures', '444.jpg');
    await expect(decodeImage(bytes, { path: other, preprocessing: reduced(5) })).rejects.toThrow(
      /444.jpg cannot be decoded: 1\/4 of its size is 4 × 3, not 15 × 11/,
    );
  });

  it('decodes Ultra HDR, as phones write it, like its base image', async () => {
    const pixels = Buffer.from(Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 5 + (i >> 6)) % 251));
    const image = sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } });
    // The types of sharp do not have it yet.
    const bytes = await (image as Sharp & { withGainMap(): Sharp }).withGainMap().jpeg().toBuffer();
    expect((await sharp(bytes).metadata()).gainMap).toBeDefined();
    expect(await decodeImage(bytes, { preprocessing: reduced(6) })).toMatchObject({ width: 16, height: 12 });
    expect(await decodeImage(bytes)).toMatchObject({ width: 64, height: 48 });
  });

  it('refuses unknown values', () => {
    expect(() => imageDecoder(1, 'exif', { ...reduced(4), decoding: 'draft' as 'full' })).toThrow(
      /imageDecoder: decoding is "draft". Use one of: full, reduced/,
    );
  });
});

describe('a source of reduced images', async () => {
  const classes = join(base, 'classes');
  for (const name of ['a', 'b']) {
    await mkdir(join(classes, name), { recursive: true });
    await copyFile(large, join(classes, name, '1.jpg'));
  }
  const open = (preprocessing?: PreprocessingOptions) =>
    openImageFolder({ folder: classes, ...(preprocessing === undefined ? {} : { preprocessing }) });

  it('has its own fingerprint, and that of before if it is decoded in full', async () => {
    const prints = [];
    for (const one of [undefined, { ...reduced(4), decoding: 'full' as const }, reduced(4), reduced(5)]) {
      const source = await open(one);
      prints.push(source.fingerprint);
      await source.close();
    }
    expect(prints[1]).toBe(prints[0]);
    expect(new Set(prints).size).toBe(3);
  });

  it('is transformed for its own input only', async () => {
    const [full, small] = [await open(), await open(reduced(4))];
    expect(await small.image(0)).toMatchObject({ width: 15, height: 11 });
    const batch = async (source: typeof full, decoding?: 'full' | 'reduced') => {
      const how = { height: 4, width: 4, fit: 'stretch' as const, ...(decoding === undefined ? {} : { decoding }) };
      return (await transformImages(source, how).batch(Int32Array.of(0))).inputs.data;
    };
    expect(await batch(small)).toEqual(await batch(small, 'reduced'));
    expect(await batch(small)).not.toEqual(await batch(full, 'full'));
    await expect(batch(full, 'reduced')).rejects.toThrow(/decoding is reduced, but "classes" has full/);
    await expect(batch(small, 'full')).rejects.toThrow(/decoding is full, but "classes" has reduced/);
    expect(() => transformImages(small, { height: 5, width: 4, fit: 'stretch' })).toThrow(
      /height is 5, but "classes" has images reduced for 4/,
    );
    expect(() => transformImages(small, { height: 4, width: 4 })).toThrow(/fit is crop, but .* reduced for stretch/);
    await full.close();
    await small.close();
  });
});
