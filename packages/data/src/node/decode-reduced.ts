import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withFileErrors } from '@lmd/training/node';
import type { SharpOptions } from 'sharp';
import type { Pixels, ReductionTarget, Size } from '../images/image.js';
import { type Reduction, reducedSize, reductionOf } from '../images/reduction.js';
import { decodePixels, type EncodedImage } from './decode-pixels.js';
import { type JpegFrame, jpegFrame } from './jpeg-frame.js';
import type { SharpModule } from './sharp.js';
import { sizeOf, undecodable } from './undecodable.js';

/**
 * Decodes a JPEG at the reduced size that `reductionOf` gives for an input: exactly the pixels of the scaled DCTs of
 * libjpeg, as with Pillow's `Image.draft`, which keeps an incomplete last row or column.
 *
 * libvips decodes at a reduced size by its option `shrink`, which sharp sets only together with a resizing of its own,
 * but leaves in the name of a file.
 *
 * @param options those of full decoding, with the limit of the pixels of the whole image.
 */
export async function decodeReduced(
  sharp: SharpModule,
  image: EncodedImage,
  options: SharpOptions & { readonly limitInputPixels: number },
  target: ReductionTarget,
): Promise<Pixels> {
  const { name, bytes } = image;
  const frame = jpegFrame(bytes);
  const isReducible =
    frame !== undefined &&
    frame.precision === 8 &&
    !frame.isLossless &&
    // Full decoding refuses what has more.
    frame.width * frame.height <= options.limitInputPixels;
  if (!isReducible) return await decodePixels(sharp, bytes, image, options);
  const orientation = () => orientationOf(sharp, bytes, options);
  const reduction = await reductionOfFrame(frame, target, orientation);
  if (reduction === 1) return await decodePixels(sharp, bytes, image, options);
  return await inFile(image, async (path) => {
    // Without `revalidate`, a file that has changed under its name could be decoded from the cache of libvips.
    const pixels = await decodePixels(sharp, `${path}[shrink=${reduction},revalidate=true]`, image, options);
    const reduced = reducedSize(frame, reduction);
    const isUpright = pixels.height === reduced.height && pixels.width === reduced.width;
    const isTurned = pixels.height === reduced.width && pixels.width === reduced.height;
    if (!isUpright && !isTurned) {
      throw undecodable(name, `1/${reduction} of its size is ${sizeOf(pixels)}, not ${sizeOf(reduced)}`);
    }
    const { height, width } = isUpright ? frame : turned(frame);
    const [rows, columns] = [height % reduction, width % reduction];
    const { above, left } = rows + columns === 0 ? { above: false, left: false } : startsWithEnd(await orientation());
    const reducedFrom = { height, width, by: reduction, top: above ? rows : 0, left: left ? columns : 0 };
    return { ...pixels, reducedFrom };
  });
}

/** @param orientation asked only where it matters, since it reads the metadata: never for a square input. */
async function reductionOfFrame(
  frame: JpegFrame,
  target: ReductionTarget,
  orientation: () => Promise<number>,
): Promise<Reduction> {
  const upright = reductionOf(frame, target);
  const other = reductionOf(turned(frame), target);
  return upright !== other && turns(await orientation()) ? other : upright;
}

const turned = ({ height, width }: Size): Size => ({ height: width, width: height });

/** The EXIF orientation by which an image is turned: 1 if it is not. */
async function orientationOf(sharp: SharpModule, bytes: Uint8Array, options: SharpOptions): Promise<number> {
  if (options.autoOrient !== true) return 1;
  return (await sharp(bytes, options).metadata()).orientation ?? 1;
}

/** Whether height and width are swapped. */
const turns = (orientation: number) => orientation >= 5;

/**
 * Whether the last row or column of the stored pixels, the incomplete ones of which are left out, comes first in the
 * turned image.
 */
function startsWithEnd(orientation: number): { readonly above: boolean; readonly left: boolean } {
  return { above: [3, 4, 7, 8].includes(orientation), left: [2, 3, 6, 7].includes(orientation) };
}

/** Calls with the path of a file that has the bytes of the image, which is a temporary one where there is none. */
async function inFile<Result>({ path, bytes }: EncodedImage, use: (path: string) => Promise<Result>): Promise<Result> {
  // A relative path that begins like `a:` would be one of a protocol, and brackets at the end are taken for options.
  if (path?.endsWith(']') === false) return await use(resolve(path));
  const prefix = join(tmpdir(), 'lmd-image-');
  const folder = await withFileErrors('write', prefix, () => mkdtemp(prefix));
  try {
    const file = join(folder, 'image.jpg');
    await withFileErrors('write', file, () => writeFile(file, bytes));
    return await use(file);
  } finally {
    await withFileErrors('remove', folder, () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  }
}
