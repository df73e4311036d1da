import type { Pixels, ReductionTarget, Size } from './image.js';

/** A part of an image, in pixels. They need not be whole ones in an image of reduced size. */
export interface Region extends Size {
  readonly top: number;
  readonly left: number;
}

export function wholeOf({ height, width }: Size): Region {
  return { top: 0, left: 0, height, width };
}

/** The filters of `resize`. */
export const interpolations = ['bilinear', 'bicubic'] as const;
export type Interpolation = (typeof interpolations)[number];

/**
 * A region of an image, resized with a filter that widens as the image shrinks ("antialiasing"), as in Pillow and
 * torchvision. `bilinear` is the triangle filter, within one level of Pillow, which rounds between the two passes;
 * this rounds once. `bicubic` is the cubic convolution with a = −0.5 (R. Keys, 1981), with exactly the bytes of Pillow:
 * its weights have 22 fractional bits, and both passes round and clip, because the filter overshoots.
 */
export function resize(
  image: Pixels,
  region: Region,
  height: number,
  width: number,
  interpolation: Interpolation = 'bilinear',
): Pixels {
  const { channels } = image;
  const isWhole = Number.isInteger(region.top) && Number.isInteger(region.left);
  if (isWhole && region.height === height && region.width === width) return cut(image, region);
  const kernel = kernels[interpolation];
  const horizontal = filter(region.left, region.width, image.width, width, kernel);
  const vertical = filter(region.top, region.height, image.height, height, kernel);
  const firstRow = vertical[0]!.first;
  const lastRow = vertical.at(-1)!.first + vertical.at(-1)!.weights.length;
  const size = (lastRow - firstRow) * width * channels;
  const rows = kernel.fixedPoint ? new Uint8Array(size) : new Float32Array(size);
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = horizontal[x]!;
      const to = ((y - firstRow) * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let from = (y * image.width + first) * channels + channel;
        for (let k = 0; k < weights.length; k++, from += channels) sum += weights[k]! * image.data[from]!;
        rows[to + channel] = kernel.fixedPoint ? byteOf(sum) : sum;
      }
    }
  }
  const data = new Uint8Array(height * width * channels);
  const stride = width * channels;
  for (let y = 0; y < height; y++) {
    const { first, weights } = vertical[y]!;
    for (let x = 0; x < stride; x++) {
      let sum = 0;
      let from = (first - firstRow) * stride + x;
      for (let k = 0; k < weights.length; k++, from += stride) sum += weights[k]! * rows[from]!;
      data[y * stride + x] = kernel.fixedPoint ? byteOf(sum) : Math.floor(sum + 0.5);
    }
  }
  return { width, height, channels, data };
}

interface Kernel {
  /** Half of its width in pixels, where the image does not shrink. */
  readonly support: number;
  /** Whether weights are multiples of 2^−22, as integers, and both passes round to bytes. */
  readonly fixedPoint: boolean;
  /** Weight at a distance in pixels, not normalized. */
  weight(distance: number): number;
}

/** Pillow's fixed point for 8-bit images: `PRECISION_BITS` in Resample.c. */
const one = 2 ** 22;

const kernels: Readonly<Record<Interpolation, Kernel>> = {
  bilinear: { support: 1, fixedPoint: false, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  bicubic: {
    support: 2,
    fixedPoint: true,
    weight(distance) {
      const a = -0.5;
      const x = Math.abs(distance);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
};

function byteOf(sum: number): number {
  return Math.min(255, Math.max(0, Math.floor((sum + one / 2) / one)));
}

interface Taps {
  /** First pixel with a weight. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** The pixels and weights of each output pixel along one axis. */
function filter(start: number, length: number, limit: number, outputs: number, kernel: Kernel): Taps[] {
  const scale = length / outputs;
  const stretch = Math.max(scale, 1);
  const support = kernel.support * stretch;
  return Array.from({ length: outputs }, (_, output) => {
    const center = start + (output + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(limit, Math.floor(center + support + 0.5));
    const weights = Float64Array.from({ length: Math.max(1, end - first) }, (_, k) =>
      kernel.weight((first + k + 0.5 - center) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => normalized(weight / sum, kernel)) };
  });
}

function normalized(weight: number, { fixedPoint }: Kernel): number {
  return fixedPoint ? Math.trunc(weight * one + (weight < 0 ? -0.5 : 0.5)) : weight;
}

function cut(image: Pixels, { top, left, height, width }: Region): Pixels {
  const { channels } = image;
  if (height === image.height && width === image.width) return image;
  const data = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

/**
 * The part of an image that is kept: the whole, or the largest centred region with the input's aspect ratio. In pixels
 * at a reduced size it is where it is in the image itself, so that inputs are not shifted.
 */
export function keptRegion(
  { reducedFrom, ...image }: Size & Pick<Pixels, 'reducedFrom'>,
  { height, width, fit, cropFraction }: ReductionTarget,
): Region {
  const { by, top, left, ...size } = reducedFrom ?? { ...image, by: 1, top: 0, left: 0 };
  const kept = fit === 'stretch' ? wholeOf(size) : centralRegion(size, height, width, cropFraction);
  return {
    top: (kept.top - top) / by,
    left: (kept.left - left) / by,
    height: kept.height / by,
    width: kept.width / by,
  };
}

/** The largest centred region of the shape of `height` × `width`, times `fraction` along each axis. */
export function centralRegion(image: Size, height: number, width: number, fraction: number): Region {
  const scale = Math.min(image.height / height, image.width / width) * fraction;
  const regionHeight = Math.min(image.height, Math.max(1, Math.round(height * scale)));
  const regionWidth = Math.min(image.width, Math.max(1, Math.round(width * scale)));
  return {
    top: Math.floor((image.height - regionHeight) / 2),
    left: Math.floor((image.width - regionWidth) / 2),
    height: regionHeight,
    width: regionWidth,
  };
}
