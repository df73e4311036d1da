import type { SharpOptions } from 'sharp';
import type { Pixels } from '../images/image.js';
import type { ImageFormat } from './image-format.js';
import { jpegFrame } from './jpeg-frame.js';
import type { SharpModule } from './sharp.js';
import { undecodable } from './undecodable.js';

/** The bytes of an image file. */
export interface EncodedImage {
  /** As errors call it. */
  readonly name: string;
  /** The file that has these bytes, if there is one. */
  readonly path?: string | undefined;
  readonly format: ImageFormat;
  readonly bytes: Uint8Array;
}

/**
 * The pixels of an image, as 8-bit RGB.
 *
 * @param from the bytes of the image, or the name of its file.
 * @throws LmdError `DATA_CORRUPT`; the errors of sharp.
 */
export async function decodePixels(
  sharp: SharpModule,
  from: Uint8Array | string,
  { name, format, bytes }: EncodedImage,
  options: SharpOptions,
): Promise<Pixels> {
  const image = sharp(from, options);
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
    throw undecodable(name, `its samples are ${depth}, but only 8 and 16 bits are supported`);
  }
  if (metadata?.space === 'cmyk') return await decodeCmyk(sharp, from, options, depth);
  return { width: info.width, height: info.height, channels: 3, data: rgb(name, data, info.channels) };
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
  from: Uint8Array | string,
  options: SharpOptions,
  depth: 'uchar' | 'ushort',
): Promise<Pixels> {
  const { data, info } = await sharp(from, options)
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const samples = depth === 'uchar' ? data : new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const shift = depth === 'uchar' ? 0 : 8;
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0, to = 0; to < pixels.length; at += channels, to += 3) {
    const light = 255 - (samples[at + 3]! >> shift);
    for (let ink = 0; ink < 3; ink++) {
      pixels[to + ink] = light - Math.round(((samples[at + ink]! >> shift) * light) / 255);
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
