import type { ReductionTarget, Size } from './image.js';
import { keptRegion } from './resize.js';

/** An image has 1/k of the height and of the width of a JPEG: the scaled DCTs of libjpeg. */
export type Reduction = 1 | 2 | 4 | 8;

/** Pillow's `reducing_gap` of `Image.thumbnail`. */
const gap = 2;

/** The size of an image that is decoded at 1/k of its size: an incomplete last row or column is left out. */
export function reducedSize({ height, width }: Size, reduction: Reduction): Size {
  return { height: Math.floor(height / reduction), width: Math.floor(width / reduction) };
}

/**
 * By how much `decoding: 'reduced'` reduces a JPEG: the largest k of 1, 2, 4 and 8 for which 1/k of the part that is
 * kept (the largest centred region times `cropFraction`, or the whole image) has at least twice the height and the
 * width of the input. The antialiased resizing that follows then still averages, as with a `reducing_gap` of 2 in
 * Pillow.
 *
 * @param size of the image in pixels, turned as its EXIF orientation says where `orientation` is `exif`.
 */
export function reductionOf({ height, width }: Size, target: ReductionTarget): Reduction {
  const kept = keptRegion({ height, width }, target);
  const largest = Math.min(kept.height / target.height, kept.width / target.width) / gap;
  return ([8, 4, 2] as const).find((reduction) => reduction <= largest) ?? 1;
}
