import { readFileSync, statSync } from 'node:fs';
import { type ImagePreprocessing, LmdError, numberOption, textOption } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';
import type { Pixels } from '../images/image.js';
import { argumentError } from '../options.js';
import { decodeWithSharp, undecodable } from './decode-image.js';
import { headBytes, imageExtensions, imageFormat, imageFormats } from './image-format.js';

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
 * @param orientation `exif` turns images as their EXIF orientation says (the default), `stored` keeps the pixels as
 * they are stored.
 */
export function imageDecoder(concurrency = 32, orientation: Orientation = 'exif'): ImageDecoder {
  if (orientation !== 'exif' && orientation !== 'stored') {
    throw argumentError('imageDecoder', 'orientation', orientation, 'Use "exif" or "stored".');
  }
  numberOption('imageDecoder', 'concurrency', concurrency, { atLeast: 1, integer: true });
  const waiting: Job[] = [];
  const running = new Map<Job, Promise<void>>();
  let isClosed = false;

  const fill = () => {
    while (running.size < concurrency) {
      const job = waiting.shift();
      if (job === undefined) return;
      const done = decodeFile(job.path, orientation)
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
async function decodeFile(path: string, orientation: Orientation): Promise<Pixels> {
  textOption('imageDecoder', 'path', path);
  return await decodeImage(readBytes(path), { name: path, orientation });
}

/**
 * Decodes the bytes of one image file, as `imageDecoder` does.
 *
 * @param options.name the image, as errors call it.
 * @param options.orientation `exif` (default) turns it as its EXIF orientation says; `stored` does not.
 * @throws LmdError `DATA_CORRUPT` if it cannot be decoded; `ENGINE_MISSING` if sharp is not installed.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { name = 'The image', orientation = 'exif' }: { readonly name?: string; readonly orientation?: Orientation } = {},
): Promise<Pixels> {
  const found = imageFormat(bytes.subarray(0, headBytes));
  if (found.format !== undefined) return await decodeWithSharp(name, found.format, bytes, orientation);
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
