import { LmdError } from '@lmd/core';
import type { Pixels } from './image.js';

/**
 * An image with another number of channels: alpha is dropped, as by `imageDecoder`; RGB becomes grey by ITU-R 601-2
 * luma, as Pillow's `convert('L')` rounds it; grey is replicated.
 *
 * @throws LmdError `INVALID_ARGUMENT` where neither side is grey (1), grey with alpha (2), RGB (3) or RGBA (4).
 */
export function withChannels(image: Pixels, channels: number): Pixels {
  if (image.channels === channels) return image;
  const opaque = image.channels - (image.channels % 2 === 0 ? 1 : 0);
  if (image.channels > 4 || (channels !== 1 && channels !== 3)) {
    throw new LmdError('INVALID_ARGUMENT', `The image has ${image.channels} channels, but the input has ${channels}.`, {
      subject: 'channels',
      value: image.channels,
      remedy: 'Use grey levels (1 channel, 2 with alpha) or RGB (3 channels, 4 with alpha).',
    });
  }
  const { data: _, ...size } = image;
  const { width, height } = size;
  if (channels === 1 && opaque === 3) return { ...size, channels, data: luminance(image) };
  const data = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      data[pixel * channels + channel] = image.data[pixel * image.channels + (opaque === 1 ? 0 : channel)]!;
    }
  }
  return { ...size, channels, data };
}

/** ITU-R 601-2 luma, as Pillow rounds it; of one channel, the channel. */
export function luminance({ data, channels }: Pixels): Uint8Array {
  if (channels < 3) return data.filter((_, index) => index % channels === 0);
  return Uint8Array.from({ length: data.length / channels }, (_, pixel) => {
    const at = pixel * channels;
    return (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
  });
}
