import type { ImagePreprocessing } from '@lmd/core';
import { isLmdError } from '@lmd/core';
import { describe, expect, it } from 'vitest';
import { type ImageSource, type Pixels, preprocessImage, transformImages } from './index.js';

const picture = (width: number, height: number, channels: number): Pixels => ({
  width,
  height,
  channels,
  data: Uint8Array.from(
    { length: width * height * channels },
    (_, index) => Math.imul(index + width, 0x9e3779b1) >>> 24,
  ),
});
const usual: ImagePreprocessing = {
  height: 6,
  width: 8,
  channels: 3,
  fit: 'crop',
  cropFraction: 1,
  interpolation: 'bilinear',
  mean: [0.485, 0.456, 0.406],
  standardDeviation: [0.229, 0.224, 0.225],
  orientation: 'exif',
};
const sourceOf = (image: Pixels, more: Partial<ImageSource> = {}): ImageSource => ({
  name: 'one',
  size: 1,
  classes: 1,
  channels: image.channels,
  label: () => 0,
  image: () => image,
  ...more,
});

describe('preprocessImage', () => {
  it.each([
    ['the defaults', usual],
    ['a central crop, bicubic', { ...usual, cropFraction: 0.875, interpolation: 'bicubic' }],
    ['stretching', { ...usual, fit: 'stretch', interpolation: 'bicubic' }],
  ] as const)('gives the bits of transformImages with %s', async (_, preprocessing) => {
    for (const [width, height] of [
      [23, 17],
      [8, 6],
      [3, 40],
    ] as const) {
      const image = picture(width, height, 3);
      const { inputs } = await transformImages(sourceOf(image), preprocessing).batch(Int32Array.of(0));
      const input = preprocessImage(image, preprocessing);
      expect(input).toEqual(inputs.data);
      expect(new Set(input).size).toBeGreaterThan(10);
    }
    const [bilinear, bicubic] = (['bilinear', 'bicubic'] as const).map((interpolation) =>
      preprocessImage(picture(23, 17, 3), { ...preprocessing, interpolation }),
    );
    expect(bilinear).not.toEqual(bicubic);
  });

  it('drops alpha, also of the clamped bytes of a canvas, and converts between grey and RGB', () => {
    const grey = { ...usual, height: 1, width: 1, channels: 1, mean: [0], standardDeviation: [1 / 255] };
    const pixel = (...values: number[]): Pixels => ({
      width: 1,
      height: 1,
      channels: values.length,
      data: Uint8Array.from(values),
    });
    // Pillow: Image.new('RGB', (1, 1), (200, 100, 50)).convert('L') is 124.
    expect(preprocessImage(pixel(200, 100, 50), grey)[0]).toBeCloseTo(124, 4);
    expect(preprocessImage(pixel(200, 100, 50, 7), grey)[0]).toBeCloseTo(124, 4);
    expect(preprocessImage(pixel(90, 7), grey)[0]).toBeCloseTo(90, 4);
    const color = { ...grey, channels: 3, mean: [0, 0, 0], standardDeviation: [1 / 255, 1 / 255, 1 / 255] };
    expect([...preprocessImage(pixel(90), color)].map(Math.round)).toEqual([90, 90, 90]);
    const clamped = { width: 1, height: 1, channels: 4, data: Uint8ClampedArray.of(1, 2, 3, 4) };
    expect([...preprocessImage(clamped, color)].map(Math.round)).toEqual([1, 2, 3]);
  });

  it.each([
    ['pixels.width', { ...picture(2, 2, 3), width: 0 }, usual],
    ['pixels.data', { ...picture(2, 2, 3), height: 3 }, usual],
    ['channels', picture(2, 2, 5), usual],
    ['channels', picture(2, 2, 3), { ...usual, channels: 2, mean: [0, 0], standardDeviation: [1, 1] }],
    ['mean', picture(2, 2, 3), { ...usual, mean: [0.5, 0.5] }],
    ['interpolation', picture(2, 2, 3), { ...usual, interpolation: 'lanczos' as 'bicubic' }],
    ['cropFraction', picture(2, 2, 3), { ...usual, cropFraction: 0 }],
  ])('refuses a wrong %s', (subject, pixels, preprocessing) => {
    const thrown = (() => {
      try {
        return preprocessImage(pixels, preprocessing);
      } catch (error) {
        return error;
      }
    })();
    expect(isLmdError(thrown, 'INVALID_ARGUMENT') && thrown.subject).toBe(subject);
  });
});

describe('transformImages with the preprocessing of a model', () => {
  it('refuses a source with other channels or another orientation', () => {
    expect(() => transformImages(sourceOf(picture(2, 2, 1)), usual)).toThrow(/channels is 3, but "one" has 1/);
    const stored = sourceOf(picture(2, 2, 3), { orientation: 'stored' });
    expect(() => transformImages(stored, usual)).toThrow(/orientation is exif, but "one" has stored/);
    expect(transformImages(stored, { ...usual, orientation: 'stored' }).size).toBe(1);
  });
});
