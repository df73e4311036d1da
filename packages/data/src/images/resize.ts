import type { Pixels } from './image.js';

/** A part of an image, in pixels. */
export interface Region {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export function wholeOf({ height, width }: Pixels): Region {
  return { top: 0, left: 0, height, width };
}

/**
 * A region of an image, resized with the triangle filter, which widens as the image shrinks: "bilinear with
 * antialiasing", as in Pillow and torchvision, within one level (they round between the two passes; this rounds once).
 */
export function resize(image: Pixels, region: Region, height: number, width: number): Pixels {
  const { channels } = image;
  if (region.height === height && region.width === width) return cut(image, region);
  const horizontal = filter(region.left, region.width, image.width, width);
  const vertical = filter(region.top, region.height, image.height, height);
  const firstRow = vertical[0]!.first;
  const lastRow = vertical.at(-1)!.first + vertical.at(-1)!.weights.length;
  const rows = new Float32Array((lastRow - firstRow) * width * channels);
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = horizontal[x]!;
      const to = ((y - firstRow) * width + x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let from = (y * image.width + first) * channels + channel;
        for (let k = 0; k < weights.length; k++, from += channels) sum += weights[k]! * image.data[from]!;
        rows[to + channel] = sum;
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
      data[y * stride + x] = Math.floor(sum + 0.5);
    }
  }
  return { width, height, channels, data };
}

interface Taps {
  /** First pixel with a weight. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** The pixels and weights of each output pixel along one axis. */
function filter(start: number, length: number, limit: number, outputs: number): Taps[] {
  const scale = length / outputs;
  const support = Math.max(scale, 1);
  return Array.from({ length: outputs }, (_, output) => {
    const center = start + (output + 0.5) * scale;
    const first = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(limit, Math.floor(center + support + 0.5));
    const weights = Float64Array.from({ length: Math.max(1, end - first) }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - center) / support)),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
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

/** The largest centred region of the shape of `height` × `width`, times `fraction` along each axis. */
export function centralRegion(image: Pixels, height: number, width: number, fraction: number): Region {
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
