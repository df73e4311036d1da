import { describeValue, type ImagePreprocessing, isTypedArray, LmdError, sizeOf, typedArrayName } from '@lmd/core';
import { type Pixels, preprocessImage, type ReducedFrom } from '@lmd/data/images';
import type { BlobLike } from '@lmd/safetensors';
import { bytesOf, isBlob } from './model-sources.js';

/** Pixels as bytes, row-major, such as an `ImageData`. */
export interface PixelData {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and alpha, 3: RGB, 4: RGBA. Default: by the length of `data`. Alpha is dropped. */
  readonly channels?: number;
  /** The image that was decoded at a reduced size, if these are its pixels. */
  readonly reducedFrom?: ReducedFrom;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** An input of the network itself: nothing is resized or normalized. */
export interface PreparedImage {
  readonly data: Float32Array;
  /** [height, width, channels] of the network. */
  readonly shape: readonly number[];
}

/** What a canvas can draw: a canvas, an ImageBitmap, or an image or video element of a page. */
export interface DrawableImage {
  readonly width: number;
  readonly height: number;
}

/** A picture: an encoded file (its bytes or its Blob), pixels, what a page shows, or an input of the network. */
export type ImageInput = Uint8Array | ArrayBuffer | BlobLike | PixelData | PreparedImage | DrawableImage;

/** Decodes an encoded image: a JPEG, PNG, …. */
export type DecodeImage = (image: Uint8Array | BlobLike, preprocessing: ImagePreprocessing) => Promise<PixelData>;

/** What turns pictures into inputs of one network. */
export interface ImageReader {
  /** [height, width, channels] of the network. */
  readonly shape: readonly number[];
  readonly preprocessing: ImagePreprocessing | undefined;
  readonly decode: DecodeImage;
  /** Reads and decodes a file by its path, where there are files. */
  readonly decodeFile?: (path: string, preprocessing: ImagePreprocessing) => Promise<PixelData>;
  /** Reads the pixels of a drawable image. */
  readonly draw: (image: DrawableImage) => PixelData;
}

/**
 * The input of the network for a picture: f32 of `reader.shape`.
 *
 * @throws LmdError `INVALID_ARGUMENT` for what is not a picture, and for pictures where the model has no preprocessing;
 *   `SHAPE_MISMATCH` for a prepared input of another shape; `DATA_CORRUPT` for one that cannot be decoded.
 */
export async function readImage(image: ImageInput | string, reader: ImageReader): Promise<Float32Array> {
  if (isPrepared(image)) return checkedInput(image, reader.shape);
  const { preprocessing } = reader;
  if (preprocessing === undefined) {
    throw new LmdError('INVALID_ARGUMENT', 'The model does not say how a picture is prepared for it.', {
      subject: 'preprocessing',
      remedy:
        'Pass preprocessing to loadModel, or inputs of the network: { data: Float32Array, shape: ' +
        `[${reader.shape.join(', ')}] }.`,
    });
  }
  return preprocessImage(await pixelsOf(image, reader, preprocessing), preprocessing);
}

async function pixelsOf(
  image: ImageInput | string,
  reader: ImageReader,
  preprocessing: ImagePreprocessing,
): Promise<Pixels> {
  if (typeof image === 'string') {
    if (reader.decodeFile === undefined) throw unusable(image);
    return checkedPixels(await reader.decodeFile(image, preprocessing));
  }
  const bytes = bytesOf(image);
  if (bytes !== undefined) return checkedPixels(await reader.decode(bytes, preprocessing));
  if (isBlob(image)) return checkedPixels(await reader.decode(image, preprocessing));
  const { data, width, height } = (image ?? {}) as Partial<PixelData>;
  if (typeof width !== 'number' || typeof height !== 'number') throw unusable(image);
  return checkedPixels(data === undefined ? reader.draw(image as DrawableImage) : (image as PixelData));
}

function isPrepared(image: unknown): image is PreparedImage {
  return Array.isArray((image as Partial<PreparedImage> | null)?.shape);
}

function checkedInput({ data, shape }: PreparedImage, expected: readonly number[]): Float32Array {
  const isBatch = shape.length === 4 && shape[0] === 1;
  const own = isBatch ? shape.slice(1) : shape;
  if (isTypedArray(data, 'Float32Array') && own.join() === expected.join() && data.length === sizeOf(expected)) {
    return data;
  }
  const name = typedArrayName(data) ?? typeof data;
  const count = typedArrayName(data) === undefined ? '' : ` with ${data.length} values`;
  throw new LmdError('SHAPE_MISMATCH', `An input is a ${name}${count} of shape [${shape.join(', ')}].`, {
    subject: 'image',
    value: shape,
    remedy: `This model needs a Float32Array of shape [${expected.join(', ')}].`,
  });
}

/** Pixels with a count of channels, checked against their length. */
function checkedPixels(pixels: PixelData): Pixels {
  const { width, height, data, reducedFrom } = pixels;
  const isSize = (size: number) => Number.isSafeInteger(size) && size >= 1;
  const name = typedArrayName(data);
  if (!isSize(width) || !isSize(height) || (name !== 'Uint8Array' && name !== 'Uint8ClampedArray')) {
    throw unusable(pixels);
  }
  const { channels = data.length / (width * height) } = pixels;
  if (![1, 2, 3, 4].includes(channels) || data.length !== width * height * channels) {
    throw new LmdError('INVALID_ARGUMENT', `An image of ${width} × ${height} pixels has ${data.length} bytes.`, {
      subject: 'image',
      value: data.length,
      remedy: 'Use 1 to 4 bytes per pixel: grey, grey and alpha, RGB, or RGBA.',
    });
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width, height, channels, data: bytes, ...(reducedFrom === undefined ? {} : { reducedFrom }) };
}

function unusable(image: unknown): LmdError {
  const { width, height } = (image ?? {}) as Partial<PixelData>;
  const size = typeof width === 'number' ? ` of ${width} × ${height} pixels` : '';
  return new LmdError('INVALID_ARGUMENT', `An image is ${describeValue(image)}${size}, which is not a picture.`, {
    subject: 'image',
    value: image,
    remedy:
      'Use the bytes or the Blob of an image file, ImageData, { data, width, height, channels }, or in a page a ' +
      'canvas, an ImageBitmap or a loaded image element.',
  });
}
