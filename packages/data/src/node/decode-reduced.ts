import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withFileErrors } from '@lmd/training/node';
import type { SharpOptions } from 'sharp';
import type { Pixels, ReductionTarget } from '../images/image.js';
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
  const reduction = isReducible ? await reductionOfFrame(frame, target, () => isTurned(sharp, bytes, options)) : 1;
  if (reduction === 1) return await decodePixels(sharp, bytes, image, options);
  return await inFile(image, async (path) => {
    // Without `revalidate`, a file that has changed under its name could be decoded from the cache of libvips.
    const pixels = await decodePixels(sharp, `${path}[shrink=${reduction},revalidate=true]`, image, options);
    const { height, width } = reducedSize(frame!, reduction);
    const isExpected =
      (pixels.height === height && pixels.width === width) || (pixels.height === width && pixels.width === height);
    if (isExpected) return pixels;
    throw undecodable(name, `1/${reduction} of its size is ${sizeOf(pixels)}, not ${sizeOf({ height, width })}`);
  });
}

/**
 * @param isTurned whether height and width are swapped after decoding. Asked only where it matters, since it reads the
 * metadata: never for a square input.
 */
async function reductionOfFrame(
  frame: JpegFrame,
  target: ReductionTarget,
  isTurned: () => Promise<boolean>,
): Promise<Reduction> {
  const stored = reductionOf(frame, target);
  const turned = reductionOf({ height: frame.width, width: frame.height }, target);
  return stored !== turned && (await isTurned()) ? turned : stored;
}

/** EXIF orientations from 5 on turn by 90°. */
async function isTurned(sharp: SharpModule, bytes: Uint8Array, options: SharpOptions): Promise<boolean> {
  if (options.autoOrient !== true) return false;
  const { orientation = 1 } = await sharp(bytes, options).metadata();
  return orientation >= 5;
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
