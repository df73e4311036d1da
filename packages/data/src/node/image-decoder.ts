import { readFileSync, statSync } from 'node:fs';
import { type ImagePreprocessing, LmdError, numberOption, textOption } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';
import type { Pixels, ReductionTarget } from '../images/image.js';
import type { PreprocessingOptions } from '../images/preprocessing.js';
import { argumentError } from '../options.js';
import { decodeWithSharp } from './decode-image.js';
import type { EncodedImage } from './decode-pixels.js';
import { headBytes, imageExtensions, imageFormat, imageFormats } from './image-format.js';
import { reductionTarget } from './reduction-target.js';
import { undecodable } from './undecodable.js';

/**
 * Decodes image files. A custom decoder, for other formats or speed, is an object with this interface: the option
 * `decoder` of `openImageFolder`.
 */
export interface ImageDecoder {
  /** Extensions of its files: in lower case, with the dot. */
  readonly extensions: readonly string[];
  /**
   * An image as 8-bit RGB. Called for many files concurrently.
   *
   * @throws LmdError `DATA_CORRUPT` naming a file that cannot be decoded; `FILE_SYSTEM`.
   */
  decode(path: string): Promise<Pixels>;
  /** Frees its resources and rejects pending images. Closing twice is not an error. */
  close(): Promise<void>;
}

interface Job {
  readonly path: string;
  readonly resolve: (pixels: Pixels) => void;
  readonly reject: (error: unknown) => void;
}

/** Whether images are turned as their EXIF orientation says. */
export type Orientation = ImagePreprocessing['orientation'];

/**
 * The given orientation, or that of the preprocessing.
 *
 * @param owner name of the public function, for errors.
 * @throws LmdError `INVALID_ARGUMENT` if it is unknown, or not that of the preprocessing.
 */
export function chosenOrientation(
  owner: string,
  {
    orientation,
    preprocessing,
  }: { readonly orientation: Orientation | undefined; readonly preprocessing: PreprocessingOptions | undefined },
): Orientation {
  const expected = preprocessing?.orientation;
  if (orientation === undefined) return expected ?? 'exif';
  if (orientation !== 'exif' && orientation !== 'stored') {
    throw argumentError(owner, 'orientation', orientation, 'Use "exif" or "stored".');
  }
  if (expected === undefined || expected === orientation) return orientation;
  throw argumentError(owner, 'orientation', orientation, `Use "${expected}" as preprocessing does, or leave it out.`);
}

/**
 * The decoder of JPEG, PNG, WebP, GIF (first frame), AVIF and TIFF (first page), with the package sharp, in the threads
 * of libuv (4, or `UV_THREADPOOL_SIZE`).
 *
 * Pixels equal those of Pillow's `ImageOps.exif_transpose(image).convert('RGB')`: rotated by EXIF orientation, grey
 * replicated, CMYK converted, alpha dropped, 16 bits truncated to 8, colour profiles not applied. Images of more than
 * 100 million pixels are rejected, and so are images of more than 4 million pixels with more than 2,000 pixels per byte
 * of the file.
 *
 * @param concurrency maximum number of files decoded at the same time, and of decoded images in memory. More than the
 * number of threads, so that they have work while this thread computes. Default 32.
 * @param orientation `exif` turns images as their EXIF orientation says, `stored` keeps the pixels as they are stored.
 * Default: that of `preprocessing`, or `exif`.
 * @param preprocessing how the images will be preprocessed. With `decoding: 'reduced'`, a JPEG is decoded at 1/2, 1/4
 * or 1/8 of its size, as `reductionOf` says for this input: the pixels of Pillow's `Image.draft`, without an incomplete
 * last row or column. Other formats and small images are decoded in full. Of its other fields only `orientation`
 * matters. Default: in full.
 */
export function imageDecoder(
  concurrency = 32,
  orientation?: Orientation,
  preprocessing?: PreprocessingOptions,
): ImageDecoder {
  const turned = chosenOrientation('imageDecoder', { orientation, preprocessing });
  numberOption('imageDecoder', 'concurrency', concurrency, { atLeast: 1, integer: true });
  const target = reductionTarget('imageDecoder', preprocessing);
  const waiting: Job[] = [];
  const running = new Map<Job, Promise<void>>();
  let isClosed = false;

  const fill = () => {
    while (running.size < concurrency) {
      const job = waiting.shift();
      if (job === undefined) return;
      const done = decodeFile(job.path, turned, target)
        .then(job.resolve, job.reject)
        .then(() => {
          running.delete(job);
          fill();
        });
      running.set(job, done);
    }
  };

  return {
    extensions: imageExtensions,
    decode: (path) =>
      new Promise<Pixels>((resolve, reject) => {
        if (isClosed) return reject(closed(path));
        waiting.push({ path, resolve, reject });
        fill();
      }),
    async close() {
      isClosed = true;
      for (const { path, reject } of [...running.keys(), ...waiting.splice(0)]) reject(closed(path));
      await Promise.all(running.values());
    },
  };
}

function closed(path: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', 'The image decoder is closed.', {
    subject: path,
    remedy: 'Close it when training has ended.',
  });
}

/**
 * Reads the file in this thread, which takes a fraction of the time of decoding; the rest is one job for another
 * thread, which runs while this one computes. The file is not memory-mapped, since the process crashes if another
 * program truncates a mapped file.
 */
async function decodeFile(path: string, orientation: Orientation, target?: ReductionTarget): Promise<Pixels> {
  textOption('imageDecoder', 'path', path);
  return await decodeBytes(readBytes(path), { name: path, path, orientation, target });
}

export interface DecodeImageOptions {
  /** The image, as errors call it. Default: `path`. */
  readonly name?: string;
  /** The file that has these bytes. Without it, decoding at a reduced size writes a temporary one. */
  readonly path?: string;
  /** `exif` turns the image as its EXIF orientation says; `stored` does not. Default: as for `imageDecoder`. */
  readonly orientation?: Orientation;
  /** As for `imageDecoder`. */
  readonly preprocessing?: PreprocessingOptions;
}

/**
 * Decodes the bytes of one image file, as `imageDecoder` does.
 *
 * @throws LmdError `DATA_CORRUPT` if it cannot be decoded; `ENGINE_MISSING` if sharp is not installed; `FILE_SYSTEM` if
 * a temporary file cannot be written.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { path, name = path ?? 'The image', orientation, preprocessing }: DecodeImageOptions = {},
): Promise<Pixels> {
  const target = reductionTarget('decodeImage', preprocessing);
  const turned = chosenOrientation('decodeImage', { orientation, preprocessing });
  return await decodeBytes(bytes, { name, path, orientation: turned, target });
}

async function decodeBytes(
  bytes: Uint8Array,
  image: Pick<EncodedImage, 'name' | 'path'> & {
    readonly orientation: Orientation;
    readonly target: ReductionTarget | undefined;
  },
): Promise<Pixels> {
  const { name, path, orientation, target } = image;
  const found = imageFormat(bytes.subarray(0, headBytes));
  if (found.format !== undefined) {
    return await decodeWithSharp({ name, path, format: found.format, bytes }, orientation, target);
  }
  const unknown = found.name === undefined ? 'its format is unknown' : `it is ${found.name}`;
  const what = bytes.length === 0 ? 'it is empty' : unknown;
  throw undecodable(name, `${what}, but only ${imageFormats} are supported`);
}

const maxBytes = 2 ** 30;

function readBytes(path: string): Buffer {
  try {
    const size = statSync(path).size;
    if (size > maxBytes) throw undecodable(path, `it has ${size} bytes, but at most ${maxBytes} are allowed`);
    return readFileSync(path);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}
