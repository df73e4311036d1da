import { luminance } from './channels.js';
import type { Pixels } from './image.js';

// The operations of RandAugment on bytes, with exactly the results of Pillow: ImageOps, ImageEnhance and nearest affine
// transforms.

/** Each channel stretched so that its darkest value is 0 and its brightest 255. */
export function autoContrast(image: Pixels): Pixels {
  return mapChannels(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = 255 - [...histogram].reverse().findIndex((count) => count > 0);
    if (high <= low) return (value) => value;
    const scale = 255 / (high - low);
    return (value) => clip(Math.trunc(value * scale - low * scale));
  });
}

/** Each channel mapped so that its values are spread evenly. */
export function equalize(image: Pixels): Pixels {
  return mapChannels(image, (histogram) => {
    const occupied = histogram.filter((count) => count > 0);
    const step = Math.floor((occupied.reduce((sum, count) => sum + count, 0) - (occupied.at(-1) ?? 0)) / 255);
    if (occupied.length <= 1 || step === 0) return (value) => value;
    let sum = step >> 1;
    const table = histogram.map((count) => {
      const level = Math.floor(sum / step);
      sum += count;
      return clip(level);
    });
    return (value) => table[value]!;
  });
}

/** Values of `threshold` and more inverted. */
export function solarize(image: Pixels, threshold: number): Pixels {
  return mapValues(image, (value) => (value < threshold ? value : 255 - value));
}

/** All but the upper `bits` of each value cleared. */
export function posterize(image: Pixels, bits: number): Pixels {
  const mask = 256 - 2 ** (8 - bits);
  return mapValues(image, (value) => value & mask);
}

/** Factor 0 is black, 1 the image. */
export function brightness(image: Pixels, factor: number): Pixels {
  return mapValues(image, (value) => blend(0, value, factor));
}

/** Factor 0 is the mean of the grey image, 1 the image. */
export function contrast(image: Pixels, factor: number): Pixels {
  const grey = luminance(image);
  const mean = Math.trunc(grey.reduce((sum, value) => sum + value, 0) / grey.length + 0.5);
  return mapValues(image, (value) => blend(mean, value, factor));
}

/** Factor 0 is the grey image, 1 the image. */
export function saturation(image: Pixels, factor: number): Pixels {
  const grey = luminance(image);
  const { channels } = image;
  return {
    ...image,
    data: image.data.map((value, index) => blend(grey[Math.floor(index / channels)]!, value, factor)),
  };
}

/** Factor 0 is the image smoothed by a 3 × 3 kernel but at its border, 1 the image. */
export function sharpness(image: Pixels, factor: number): Pixels {
  const { width, height, channels, data } = image;
  const result = new Uint8Array(data.length);
  const row = width * channels;
  for (let index = 0; index < data.length; index++) {
    const y = Math.floor(index / row);
    const x = Math.floor((index % row) / channels);
    let smooth = data[index]!;
    if (y > 0 && x > 0 && y < height - 1 && x < width - 1) {
      let sum = 4 * data[index]!;
      for (const dy of [-row, 0, row]) {
        sum += data[index + dy - channels]! + data[index + dy]! + data[index + dy + channels]!;
      }
      smooth = Math.floor(sum / 13 + 0.5);
    }
    result[index] = blend(smooth, data[index]!, factor);
  }
  return { ...image, data: result };
}

/**
 * [a, b, c, d, e, f]: the pixel at (x, y) comes from (ax + by + c, dx + ey + f), at the pixels' centres; black from
 * outside.
 */
export type AffineMap = readonly [number, number, number, number, number, number];

export function affine(image: Pixels, [a, b, c, d, e, f]: AffineMap): Pixels {
  const { width, height, channels, data } = image;
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = Math.floor(a * (x + 0.5) + b * (y + 0.5) + c);
      const fromY = Math.floor(d * (x + 0.5) + e * (y + 0.5) + f);
      if (fromX < 0 || fromY < 0 || fromX >= width || fromY >= height) continue;
      const from = (fromY * width + fromX) * channels;
      const to = (y * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) result[to + channel] = data[from + channel]!;
    }
  }
  return { ...image, data: result };
}

/** Counter-clockwise about the centre. */
export function rotate(image: Pixels, degrees: number): Pixels {
  const angle = (-degrees * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [image.width / 2, image.height / 2];
  return affine(image, [cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y]);
}

function clip(value: number): number {
  return Math.min(255, Math.max(0, value));
}

/** From `a` at factor 0 to `b` at 1 and beyond, in single precision, towards zero. */
function blend(a: number, b: number, factor: number): number {
  return Math.trunc(clip(Math.fround(a + Math.fround(Math.fround(factor) * (b - a)))));
}

function mapValues(image: Pixels, map: (value: number) => number): Pixels {
  const table = Uint8Array.from({ length: 256 }, (_, value) => map(value));
  return { ...image, data: image.data.map((value) => table[value]!) };
}

function mapChannels(image: Pixels, mapOf: (histogram: number[]) => (value: number) => number): Pixels {
  const { channels, data } = image;
  const result = new Uint8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    const histogram = new Array<number>(256).fill(0);
    for (let index = channel; index < data.length; index += channels) histogram[data[index]!]!++;
    const map = mapOf(histogram);
    const table = Uint8Array.from({ length: 256 }, (_, value) => map(value));
    for (let index = channel; index < data.length; index += channels) result[index] = table[data[index]!]!;
  }
  return { ...image, data: result };
}
