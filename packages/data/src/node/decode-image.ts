import { type ImagePreprocessing, LmdError } from '@lmd/core';
import type { Pixels, ReductionTarget } from '../images/image.js';
import { decodePixels, type EncodedImage } from './decode-pixels.js';
import { decodeReduced } from './decode-reduced.js';
import { loadSharp, type SharpModule } from './sharp.js';
import { sizeOf, undecodable } from './undecodable.js';

/** Limits of the decoded size: a file of 100 bytes can declare 10⁹ pixels. */
const maxPixels = 100_000_000;
const alwaysAllowed = 4_000_000;
/** A page of one colour has up to 350 (PNG, 8-bit RGB) or 1,000 (GIF); photographs have fewer than 100. */
const maxPixelsPerByte = 2000;

function pixelLimit(bytes: number): number {
  return Math.min(maxPixels, Math.max(alwaysAllowed, maxPixelsPerByte * bytes));
}

/**
 * Decodes the bytes of a file as `imageDecoder` says.
 *
 * @param target the input for which a JPEG is decoded at a reduced size; undefined: in full.
 * @throws LmdError `DATA_CORRUPT`, `ENGINE_MISSING`; `FILE_SYSTEM` if a temporary file cannot be written.
 */
export async function decodeWithSharp(
  image: EncodedImage,
  orientation: ImagePreprocessing['orientation'] = 'exif',
  target?: ReductionTarget,
): Promise<Pixels> {
  const { name, format, bytes } = image;
  const sharp = await loadSharp();
  const options = {
    limitInputPixels: pixelLimit(bytes.length),
    // Truncated files are an error; flaws that only cause decoder warnings are not.
    failOn: 'error' as const,
    // Pixels without colour management, as in Pillow and torchvision.
    ignoreIcc: true,
    autoOrient: orientation === 'exif',
  };
  try {
    if (target === undefined || format !== 'jpeg') return await decodePixels(sharp, bytes, image, options);
    return await decodeReduced(sharp, image, options, target);
  } catch (error) {
    if (error instanceof LmdError) throw error;
    throw undecodable(name, await reason(sharp, bytes, error));
  }
}

/** The reason of a failure: the size if it was too large, otherwise the first line of the decoder's message. */
async function reason(sharp: SharpModule, bytes: Uint8Array, error: unknown): Promise<string> {
  const message = String((error as Error)?.message ?? error);
  if (/pixel limit/i.test(message)) {
    const size = await sharp(bytes, { limitInputPixels: false })
      .metadata()
      .catch(() => undefined);
    if (size !== undefined) return `${sizeOf(size)} pixels are too many for its ${bytes.length} bytes`;
  }
  const lines = message.split('\n').map((line) => line.trim().replace(/[.:\s]+$/, ''));
  return lines.find((line) => line !== '') ?? 'the decoder gives no reason';
}
