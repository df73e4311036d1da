import { type ImagePreprocessing, isTypedArray, resolveOptions } from '@lmd/core';
import { argumentError } from '../options.js';
import { withChannels } from './channels.js';
import type { Pixels } from './image.js';
import { preprocessingOptionTable, preprocessor } from './preprocessing.js';

/** An image as bytes; those of a canvas are clamped ones. */
export interface ImageBytes extends Omit<Pixels, 'data'> {
  readonly data: Uint8Array | Uint8ClampedArray;
}

const owner = 'preprocessImage';

/**
 * One image as the input of a model, f32 [height, width, channels]: resized and normalized, with exactly the values
 * that `transformImages` gives in evaluation. It runs in a browser too.
 *
 * @param pixels decoded as `preprocessing.orientation` says. Alpha is dropped; RGB becomes grey, or grey RGB, where the
 *   input has other channels.
 * @throws LmdError `INVALID_ARGUMENT` naming the field of the pixels or of the preprocessing.
 */
export function preprocessImage(pixels: ImageBytes, preprocessing: ImagePreprocessing): Float32Array {
  const checked = resolveOptions(owner, preprocessingOptionTable, preprocessing);
  const image = checkedPixels(pixels);
  const { channels = image.channels } = checked;
  const { size, region, resized, normalize } = preprocessor(owner, channels, checked);
  const converted = withChannels(image, channels);
  const input = new Float32Array(size);
  normalize(resized(converted, region(converted)).data, input, 0);
  return input;
}

function checkedPixels(pixels: ImageBytes): Pixels {
  const { width, height, channels, data, reducedFrom } = pixels ?? {};
  for (const [name, value] of Object.entries({ width, height, channels })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw argumentError(owner, `pixels.${name}`, value, 'Use a whole number, at least 1.');
  }
  const bytes = isTypedArray(data, 'Uint8ClampedArray')
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : data;
  if (isTypedArray(bytes, 'Uint8Array') && bytes.length === width * height * channels) {
    return { width, height, channels, data: bytes, ...(reducedFrom === undefined ? {} : { reducedFrom }) };
  }
  const remedy = `Use a Uint8Array of ${width} × ${height} × ${channels} bytes: [height, width, channels], row-major.`;
  throw argumentError(owner, 'pixels.data', data, remedy);
}
