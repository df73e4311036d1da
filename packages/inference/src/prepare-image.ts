import { type ImagePreprocessing, LmdError } from '@lmd/core';
import { type ImageSource, type Pixels, transformImages, transformImagesOptionTable } from '@lmd/data/images';

/**
 * Prepares a picture as `transformImages` prepares those that a model is evaluated on: to the bit.
 *
 * @param image 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA) bytes per pixel. Alpha is dropped. Colours become grey
 *   levels for a model of one channel, and grey levels become equal colours, as by `convert` of Pillow.
 * @returns f32 [height, width, channels].
 * @throws LmdError `UNSUPPORTED` for a number of channels that pictures do not have.
 */
export async function prepareImage(image: Pixels, preprocessing: ImagePreprocessing): Promise<Float32Array> {
  const { orientation: _, channels, interpolation, ...options } = preprocessing;
  const picture = withChannels(image, channels);
  const source: ImageSource = { name: 'image', size: 1, classes: 1, channels, label: () => 0, image: () => picture };
  const { inputs } = await transformImages(source, { ...options, ...filter(interpolation) }).batch(Int32Array.of(0));
  return inputs.data as Float32Array;
}

/** The option of the filter, where `transformImages` has it: without, it resizes bilinearly. */
function filter(interpolation: ImagePreprocessing['interpolation']): object {
  if (Object.hasOwn(transformImagesOptionTable, 'interpolation')) return { interpolation };
  if (interpolation === 'bilinear') return {};
  throw new LmdError('UNSUPPORTED', `The preprocessing has interpolation = ${interpolation}.`, {
    subject: 'interpolation',
    value: interpolation,
    remedy: 'This version of @lmd/data resizes bilinearly: update it.',
  });
}

function withChannels(image: Pixels, channels: number): Pixels {
  if (image.channels === channels) return image;
  if (channels !== 1 && channels !== 3) {
    throw new LmdError('UNSUPPORTED', `The model has inputs of ${channels} channels, which pictures do not have.`, {
      subject: 'channels',
      value: channels,
      remedy: 'Pass inputs of the network: { data: Float32Array, shape: [height, width, channels] }.',
    });
  }
  const { width, height, data: from } = image;
  const data = new Uint8Array(width * height * channels);
  const isColour = image.channels >= 3;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * image.channels;
    const [red, green, blue] = isColour ? [from[at]!, from[at + 1]!, from[at + 2]!] : [from[at]!, from[at]!, from[at]!];
    if (channels === 3) data.set([red, green, blue], 3 * pixel);
    // ITU-R BT.601 in 16-bit fixed point, as in Pillow.
    else data[pixel] = isColour ? (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16 : red;
  }
  return { width, height, channels, data };
}
