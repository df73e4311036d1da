import type { Draws } from './draws.js';
import type { Pixels } from './image.js';
import type { Region } from './resize.js';

/**
 * Random crop: `image` shifted by up to `padding` pixels in each direction, with black borders.
 */
export function paddedCrop(image: Pixels, padding: number, draws: Draws): Pixels {
  const down = draws.below(2 * padding + 1) - padding;
  const right = draws.below(2 * padding + 1) - padding;
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data.length);
  const firstColumn = Math.max(0, -right);
  const endColumn = Math.min(width, width - right);
  for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
    if (endColumn <= firstColumn) break;
    const from = ((y + down) * width + firstColumn + right) * channels;
    data.set(
      image.data.subarray(from, from + (endColumn - firstColumn) * channels),
      (y * width + firstColumn) * channels,
    );
  }
  return { width, height, channels, data };
}

/**
 * A region of a part of the area from `scale` and of an aspect ratio (width / height) from `ratio`, uniform in area and
 * in the logarithm of the ratio; after ten that do not fit, the largest centred one of an allowed ratio (Szegedy et
 * al., "Going deeper with convolutions", 2014, section 6, as torchvision's RandomResizedCrop has it).
 */
export function randomRegion(
  image: Pixels,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  draws: Draws,
): Region {
  const { width, height } = image;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * draws.between(...scale);
    const aspect = Math.exp(draws.between(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    return { top: draws.below(height - h + 1), left: draws.below(width - w + 1), height: h, width: w };
  }
  const aspect = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const w = Math.min(width, Math.max(1, Math.round(height * aspect)));
  const h = Math.min(height, Math.max(1, Math.round(width / aspect)));
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** Horizontal flip. */
export function flipped(image: Pixels): Pixels {
  const { width, height, channels } = image;
  const data = new Uint8Array(image.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (y * width + width - 1 - x) * channels;
      for (let channel = 0; channel < channels; channel++) data[to + channel] = image.data[from + channel]!;
    }
  }
  return { width, height, channels, data };
}
