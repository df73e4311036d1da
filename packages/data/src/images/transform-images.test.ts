import { runInNewContext } from 'node:vm';
import { isLmdError } from '@lmd/core';
import { type BatchContext, split } from '@lmd/training';
import { describe, expect, it } from 'vitest';
import { flipped, paddedCrop, randomRegion } from './crops.js';
import { Draws } from './draws.js';
import { type ImageSource, imagesInMemory, type Pixels, transformImages } from './index.js';

const noise = (count: number, seed = 1) =>
  Uint8Array.from({ length: count }, (_, index) => Math.imul(index + seed, 0x9e3779b1) >>> 24);
const images = noise(12 * 8 * 8 * 3);
const source = imagesInMemory({
  name: 'noise',
  images,
  labels: Array.from({ length: 12 }, (_, index) => index % 4),
  height: 8,
  width: 8,
  channels: 3,
  classes: 4,
});
const bytes = { mean: 0, standardDeviation: 1 / 255 };
const size = { height: 8, width: 8 };
const indices = Int32Array.of(7, 2, 11, 0);
const context: BatchContext = { seed: 5, epoch: 3 };
const everything = {
  crop: { padding: 2 },
  flip: 0.5,
  randAugment: {},
  mixup: 0.2,
  cutmix: 1,
  labelSmoothing: 0.1,
};

describe('transformImages', () => {
  it('gives images of the model’s size as they are, normalised by channel', async () => {
    const dataset = transformImages(source, { ...size, mean: [0.5, 0, 0.25], standardDeviation: [0.5, 1, 2] });
    expect(dataset).toMatchObject({ name: 'noise', size: 12, classes: 4, inputShape: [8, 8, 3] });
    const { inputs, labels, softLabels } = await dataset.batch(indices);
    expect([...labels.data]).toEqual([3, 2, 3, 0]);
    expect(softLabels).toBeUndefined();
    indices.forEach((index, row) => {
      for (let k = 0; k < 192; k++) {
        const expected = (images[index * 192 + k]! / 255 - [0.5, 0, 0.25][k % 3]!) / [0.5, 1, 2][k % 3]!;
        expect(inputs.data[row * 192 + k]).toBe(Math.fround(expected));
      }
    });
  });

  it('leaves evaluation without augmentation', async () => {
    const plain = await transformImages(source, { ...size, ...bytes }).batch(indices);
    const augmented = await transformImages(source, { ...size, ...bytes, augmentation: everything }).batch(indices);
    expect(augmented).toEqual(plain);
  });

  it('is a function of seed, epoch and index: of each image wherever it stands in a batch', async () => {
    const { mixup: _, cutmix: __, ...alone } = everything;
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: alone });
    const whole = await dataset.batch(indices, context);
    expect(await dataset.batch(indices, context)).toEqual(whole);
    for (const [row, index] of indices.entries()) {
      const one = await dataset.batch(Int32Array.of(index), context);
      expect(one.inputs.data).toEqual(whole.inputs.data.slice(row * 192, (row + 1) * 192));
    }
    for (const other of [
      { seed: 6, epoch: 3 },
      { seed: 5, epoch: 4 },
    ]) {
      expect((await dataset.batch(indices, other)).inputs.data).not.toEqual(whole.inputs.data);
    }
  });

  it('draws for an image what it draws without the split that it went through', async () => {
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: { crop: { padding: 2 }, flip: 0.5 } });
    const { train } = split(dataset, { validation: 3, seed: 1 });
    const part = await train.batch(Int32Array.of(0, 1), context);
    const all = Int32Array.from({ length: 12 }, (_, index) => index);
    const whole = await dataset.batch(all, context);
    const rows = [...all].map((index) => whole.inputs.data.slice(index * 192, (index + 1) * 192).join());
    for (const row of [0, 1]) expect(rows).toContain(part.inputs.data.slice(row * 192, (row + 1) * 192).join());
  });

  it('crops the middle, or stretches, what is of another size', async () => {
    const data = Uint8Array.from({ length: 4 * 8 }, (_, index) => (index % 8) * 10);
    const wide: Pixels = { width: 8, height: 4, channels: 1, data };
    const one: ImageSource = { name: 'wide', size: 1, classes: 1, channels: 1, label: () => 0, image: () => wide };
    const row = async (options: object) => {
      const dataset = transformImages(one, { height: 2, width: 2, ...bytes, ...options });
      return [...(await dataset.batch(Int32Array.of(0))).inputs.data].slice(0, 2).map(Math.round);
    };
    // Columns 2 to 5 of 8 hold 20 to 50; of two output pixels each is a triangle of four columns, cut at the border of
    // the image alone.
    expect(await row({})).toEqual([25, 45]);
    expect(await row({ cropFraction: 0.5 })).toEqual([30, 40]);
    expect(await row({ fit: 'stretch' })).toEqual([19, 51]);
  });

  it.each([
    [{ height: 0 }, 'INVALID_ARGUMENT', 'height'],
    [{ mean: [1, 2] }, 'INVALID_ARGUMENT', 'mean'],
    [{ standardDeviation: 0 }, 'INVALID_ARGUMENT', 'standardDeviation'],
    [{ standardDeviation: Number.NaN }, 'INVALID_ARGUMENT', 'standardDeviation'],
    [{ fit: 'pad' }, 'INVALID_ARGUMENT', 'fit'],
    [{ cropFraction: 0 }, 'INVALID_ARGUMENT', 'cropFraction'],
    [{ resize: 8 }, 'UNKNOWN_OPTION', 'resize'],
    [{ augmentation: { flip: 2 } }, 'INVALID_ARGUMENT', 'flip'],
    [{ augmentation: { mixup: -1 } }, 'INVALID_ARGUMENT', 'mixup'],
    [{ augmentation: { labelSmoothing: Number.NaN } }, 'INVALID_ARGUMENT', 'labelSmoothing'],
    [{ augmentation: { randAugment: { magnitude: 31 } } }, 'INVALID_ARGUMENT', 'magnitude'],
    [{ augmentation: { randAugment: { layers: 2 } } }, 'UNKNOWN_OPTION', 'layers'],
    [{ augmentation: { crop: { padding: 0.5 } } }, 'INVALID_ARGUMENT', 'padding'],
    [{ augmentation: { crop: { scale: [0, 1], ratio: [1, 1] } } }, 'INVALID_ARGUMENT', 'scale'],
    [{ augmentation: { crop: { scale: [0.1, 1] } } }, 'INVALID_ARGUMENT', 'ratio'],
    [{ augmentation: { mixUp: 1 } }, 'UNKNOWN_OPTION', 'mixUp'],
  ])('refuses %j', (options, code, subject) => {
    let error: unknown;
    try {
      transformImages(source, { ...size, ...(options as object) });
    } catch (thrown) {
      error = thrown;
    }
    expect(isLmdError(error)).toBe(true);
    expect(error).toMatchObject({ code, subject });
  });

  it('names an image of other channels', async () => {
    const grey = { ...source, channels: 1 };
    await expect(transformImages(grey, size).batch(indices)).rejects.toMatchObject({ subject: 'image 7' });
  });
});

describe('mixing', () => {
  const rows = (data: ArrayLike<number>, width: number) =>
    Array.from({ length: data.length / width }, (_, row) => Array.from(data).slice(row * width, (row + 1) * width));
  const flat = transformImages(source, { ...size, ...bytes });

  it('by label smoothing alone spreads its part evenly', async () => {
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: { labelSmoothing: 0.2 } });
    const { softLabels, inputs } = await dataset.batch(indices, context);
    expect(rows(softLabels!.data, 4)[1]!.map((part) => Math.round(part * 1000) / 1000)).toEqual([
      0.05, 0.05, 0.85, 0.05,
    ]);
    expect(inputs).toEqual((await flat.batch(indices)).inputs);
  });

  it('by mixup is λ of an image and 1 − λ of its partner, in pixels and labels alike', async () => {
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: { mixup: 1 } });
    const [mixed, plain] = [await dataset.batch(indices, context), await flat.batch(indices)];
    const [x, y] = [rows(mixed.inputs.data, 192), rows(plain.inputs.data, 192)];
    const labels = rows(mixed.softLabels!.data, 4);
    for (const row of [1, 2]) {
      // Rows 1 and 2 are of the classes 2 and 3 and each other's partners.
      const own = plain.labels.data[row]!;
      const lambda = labels[row]![own]!;
      expect(labels[row]!.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 6);
      expect(labels[row]![plain.labels.data[3 - row]!]).toBeCloseTo(1 - lambda, 6);
      expect(lambda).toBeGreaterThan(0);
      expect(lambda).toBeLessThan(1);
      x[row]!.forEach((value, k) => {
        expect(Math.abs(value - (lambda * y[row]![k]! + (1 - lambda) * y[3 - row]![k]!))).toBeLessThan(1e-3);
      });
    }
    expect([...mixed.labels.data]).toEqual([...plain.labels.data]);
  });

  it('by cutmix is a rectangle of the partner, and labels by the pixels', async () => {
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: { cutmix: 1 } });
    let cut = 0;
    for (let epoch = 0; epoch < 20; epoch++) {
      const [mixed, plain] = [await dataset.batch(indices, { seed: 5, epoch }), await flat.batch(indices)];
      const [x, y] = [rows(mixed.inputs.data, 3), rows(plain.inputs.data, 3)];
      for (const row of [1, 2]) {
        const foreign = [...Array(64).keys()].filter(
          (pixel) => x[row * 64 + pixel]!.join() !== y[row * 64 + pixel]!.join(),
        );
        for (const pixel of foreign) expect(x[row * 64 + pixel]).toEqual(y[(3 - row) * 64 + pixel]);
        const ys = new Set(foreign.map((pixel) => pixel >> 3));
        const xs = new Set(foreign.map((pixel) => pixel & 7));
        expect(foreign.length).toBe(ys.size * xs.size);
        expect(mixed.softLabels!.data[row * 4 + plain.labels.data[row]!]).toBeCloseTo(1 - foreign.length / 64, 6);
        cut += foreign.length;
      }
    }
    // Half the area on average, less what lies beyond the border.
    expect(cut / (20 * 2 * 64)).toBeGreaterThan(0.15);
    expect(cut / (20 * 2 * 64)).toBeLessThan(0.6);
  });

  it('leaves an image alone that has no partner', async () => {
    const dataset = transformImages(source, { ...size, ...bytes, augmentation: { mixup: 1 } });
    const { softLabels, inputs } = await dataset.batch(Int32Array.of(3), context);
    expect([...softLabels!.data]).toEqual([0, 0, 0, 1]);
    expect(inputs).toEqual((await flat.batch(Int32Array.of(3))).inputs);
  });
});

describe('crops', () => {
  const image = { width: 5, height: 4, channels: 1, data: noise(20).map((value) => value | 1) };
  const many = Array.from({ length: 2000 }, (_, index) => new Draws('test', 1, 2, index));

  it('by padding move the image by every distance, and put black beside it', () => {
    const seen = new Set<string>();
    for (const draws of many) {
      const { data } = paddedCrop(image, 2, draws);
      const found = [-2, -1, 0, 1, 2].flatMap((down) =>
        [-2, -1, 0, 1, 2]
          .filter((right) => {
            return [...data.keys()].every((index) => {
              const [y, x] = [Math.floor(index / 5) + down, (index % 5) + right];
              const inside = y >= 0 && y < 4 && x >= 0 && x < 5;
              return data[index] === (inside ? image.data[y * 5 + x] : 0);
            });
          })
          .map((right) => `${down},${right}`),
      );
      expect(found.length).toBe(1);
      seen.add(found[0]!);
    }
    expect(seen.size).toBe(25);
    // Further than the image is wide: all black, and no error.
    for (const draws of many.slice(0, 50)) paddedCrop(image, 20, draws);
  });

  it('of a region keep to scale, ratio and the image', () => {
    const large = { width: 200, height: 150, channels: 1, data: new Uint8Array(30_000) };
    let area = 0;
    for (const draws of many) {
      const { top, left, height, width } = randomRegion(large, [0.08, 1], [3 / 4, 4 / 3], draws);
      expect(Math.min(top, left, height - 1, width - 1)).toBeGreaterThanOrEqual(0);
      expect(top + height).toBeLessThanOrEqual(150);
      expect(left + width).toBeLessThanOrEqual(200);
      expect(width / height).toBeGreaterThan(0.73);
      expect(width / height).toBeLessThan(1.37);
      area += (width * height) / 30_000 / many.length;
    }
    // Uniform in area from 0.08 to 1, but that large ones fit less often.
    expect(area).toBeGreaterThan(0.4);
    expect(area).toBeLessThan(0.54);
    const thin = { width: 100, height: 1, channels: 1, data: new Uint8Array(100) };
    expect(randomRegion(thin, [1, 1], [0.75, 1.3], many[0]!)).toEqual({ top: 0, left: 50 - 1, height: 1, width: 1 });
  });

  it('flipped twice are what they were', () => {
    const once = flipped({ width: 3, height: 2, channels: 2, data: noise(12) });
    expect([...once.data.slice(0, 2)]).toEqual([...noise(12).slice(4, 6)]);
    expect(flipped(once).data).toEqual(noise(12));
  });
});

describe('Draws', () => {
  it('of Beta(α, α) have mean ½ and variance 1 / (4 (2α + 1))', () => {
    for (const alpha of [0.05, 0.2, 1, 4]) {
      const values = Array.from({ length: 4000 }, (_, index) => new Draws('beta', 3, 0, index).beta(alpha));
      const mean = values.reduce((sum, value) => sum + value, 0) / 4000;
      const variance = values.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / 4000;
      const expected = 1 / (4 * (2 * alpha + 1));
      // Five standard errors; the square's variance is at most a quarter of its mean.
      expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(expected / 4000));
      expect(Math.abs(variance - expected)).toBeLessThan(5 * Math.sqrt(expected / 4 / 4000));
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });

  it('are pinned: a change of these numbers changes every run', () => {
    const draws = new Draws('crop', 7, 1, 42);
    expect(Array.from({ length: 6 }, () => draws.below(1000))).toMatchInlineSnapshot(`
      [
        651,
        955,
        332,
        17,
        232,
        990,
      ]
    `);
  });
});

describe('what a source of its own gives', () => {
  const source = (image: unknown, label: unknown = 0): ImageSource => ({
    name: 'own',
    size: 1,
    classes: 2,
    channels: 1,
    label: () => label as number,
    image: () => image as Pixels,
  });
  const batch = async (one: ImageSource) => await transformImages(one, { height: 1, width: 1 }).batch(Int32Array.of(0));

  it('may be bytes of another realm', async () => {
    const data = runInNewContext('Uint8Array.of(255)') as Uint8Array;
    expect((await batch(source({ width: 1, height: 1, channels: 1, data }))).inputs.data).toEqual(Float32Array.of(1));
  });

  it('is refused by name where it is no image, or has no class', async () => {
    const data = Uint8Array.of(1);
    const images = [
      undefined,
      {},
      { width: 1, height: 1, channels: 1, data: [1] },
      { width: 1, height: 1, channels: 1, data: Float32Array.of(1) },
      { width: 2, height: 1, channels: 1, data },
      { width: Number.NaN, height: 1, channels: 1, data },
      { width: 1, height: 1, channels: 3, data },
    ];
    for (const image of images) {
      await expect(batch(source(image))).rejects.toMatchObject({ code: 'DATA_CORRUPT', subject: 'image 0' });
    }
    for (const label of [2, -1, 0.5, Number.NaN, null, '0']) {
      const wrong = batch(source({ width: 1, height: 1, channels: 1, data }, label));
      await expect(wrong).rejects.toMatchObject({ code: 'DATA_CORRUPT', subject: 'label 0' });
    }
  });

  it('is refused by imagesInMemory where it is no Uint8Array', () => {
    const options = { name: 'x', labels: [0], height: 1, width: 1, channels: 1, classes: 1 };
    for (const images of [undefined, [1], Float64Array.of(1), 'a', new Uint8ClampedArray(1)]) {
      expect(() => imagesInMemory({ ...options, images: images as never })).toThrow(
        /images is .*(Use|Give) a Uint8Array/,
      );
    }
    expect(() => imagesInMemory({ ...options, images: Uint8Array.of(1), labels: undefined as never })).toThrow(
      /labels/,
    );
  });
});
