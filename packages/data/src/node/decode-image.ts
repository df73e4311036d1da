import { type ImagePreprocessing, LmdError } from '@lmd/core';
import type { Metadata, SharpOptions } from 'sharp';
import type { Pixels } from '../images/image.js';
import type { ImageFormat } from './image-format.js';
import { jpegFrame } from './jpeg-frame.js';
import { loadSharp, type SharpModule } from './sharp.js';

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
 * @param path for the error message.
 * @throws LmdError `DATA_CORRUPT`, `ENGINE_MISSING`.
 */
export async function decodeWithSharp(
  path: string,
  format: ImageFormat,
  bytes: Uint8Array,
  orientation: ImagePreprocessing['orientation'] = 'exif',
): Promise<Pixels> {
  const sharp = await loadSharp();
  const options: SharpOptions = {
    limitInputPixels: pixelLimit(bytes.length),
    // Truncated files are an error; flaws that only cause decoder warnings are not.
    failOn: 'error',
    // Pixels without colour management, as in Pillow and torchvision.
    ignoreIcc: true,
    autoOrient: orientation === 'exif',
  };
  try {
    const image = sharp(bytes, options);
    const pixels = image
      .clone()
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    // Requested together, so that decoding does not wait for this thread.
    const [metadata, { data, info }] = mayBeUnusual(format, bytes)
      ? await Promise.all([image.metadata(), pixels])
      : [undefined, await pixels];
    const depth = metadata?.depth ?? 'uchar';
    if (depth !== 'uchar' && depth !== 'ushort') {
      throw undecodable(path, `its samples are ${depth}, but only 8 and 16 bits are supported`);
    }
    if (metadata?.space === 'cmyk') return await decodeCmyk(sharp, bytes, options, depth);
    return { width: info.width, height: info.height, channels: 3, data: rgb(path, data, info.channels) };
  } catch (error) {
    if (error instanceof LmdError) throw error;
    throw undecodable(path, await reason(sharp, bytes, error));
  }
}

/** Whether an image may be CMYK or have samples of more than 8 bits, which its metadata says, at a cost. */
function mayBeUnusual(format: ImageFormat, bytes: Uint8Array): boolean {
  if (format !== 'jpeg') return format === 'tiff';
  const frame = jpegFrame(bytes);
  return frame === undefined || frame.precision !== 8 || (frame.components !== 1 && frame.components !== 3);
}

/**
 * sharp would use a profile of printing inks. This is the conversion of PostScript, as in Pillow: (1 − C)(1 − K).
 */
async function decodeCmyk(
  sharp: SharpModule,
  bytes: Uint8Array,
  options: SharpOptions,
  depth: 'uchar' | 'ushort',
): Promise<Pixels> {
  const { data, info } = await sharp(bytes, options)
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const samples = depth === 'uchar' ? data : new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const shift = depth === 'uchar' ? 0 : 8;
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += 3) {
    const light = 255 - (samples[from + 3]! >> shift);
    for (let ink = 0; ink < 3; ink++) {
      pixels[to + ink] = light - Math.round(((samples[from + ink]! >> shift) * light) / 255);
    }
  }
  return { width, height, channels: 3, data: pixels };
}

function rgb(path: string, data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (channels !== 1) throw undecodable(path, `it has ${channels} channels`);
  const pixels = new Uint8Array(3 * data.length);
  data.forEach((value, index) => {
    pixels.fill(value, 3 * index, 3 * index + 3);
  });
  return pixels;
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

function sizeOf({ width, height }: Metadata): string {
  return `${width} × ${height}`;
}

export function undecodable(path: string, reason: string, remedy = 'Replace or remove it.'): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} cannot be decoded: ${reason}.`, {
    subject: path,
    value: reason,
    remedy,
  });
}
