import { readFileSync, statSync } from 'node:fs';
import { LmdError, numberOption, textOption } from '@lmd/core';
import { fileSystemError } from '@lmd/training/node';
import type { Pixels } from '../images/image.js';
import { decodeWithSharp, undecodable } from './decode-image.js';
import { headBytes, imageExtensions, imageFormat, imageFormats } from './image-format.js';

/**
 * Decodes files of images. To bring your own, for other formats or faster, write one object: the option `decoder` of
 * `openImageFolder`.
 */
export interface ImageDecoder {
  /** Of the files that it reads: in lower case, with the dot. */
  readonly extensions: readonly string[];
  /**
   * An image as RGB of 8 bits. Called for many files at once.
   *
   * @throws LmdError `DATA_CORRUPT` naming a file that does not decode; `FILE_SYSTEM`.
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

/**
 * The decoder of JPEG, PNG, WebP, GIF (the first picture), AVIF and TIFF (the first page), by the package sharp, in the
 * threads of libuv (4, or what `UV_THREADPOOL_SIZE` says).
 *
 * Pixels are those of Pillow's `ImageOps.exif_transpose(image).convert('RGB')`: turned as EXIF says, grey repeated,
 * CMYK converted, alpha left out, 16 bits cut to 8, colour profiles not applied. An image of more than 100 million
 * pixels is refused, and so is one of more than 4 million that has more than 2,000 pixels for each byte of its file.
 *
 * @param concurrency how many files are decoded at once, and how many images are held before they are taken. More than
 *   there are threads, so that these have work while this thread computes. Default 32.
 */
export function imageDecoder(concurrency = 32): ImageDecoder {
  numberOption('imageDecoder', 'concurrency', concurrency, { atLeast: 1, integer: true });
  const waiting: Job[] = [];
  const running = new Map<Job, Promise<void>>();
  let isClosed = false;

  const fill = () => {
    while (running.size < concurrency) {
      const job = waiting.shift();
      if (job === undefined) return;
      const done = decodeFile(job.path)
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
 * Reads the file in this thread, a fraction of the time that decoding takes: what follows is then one job for another
 * thread, which goes on while this one computes. It is read and not mapped, since a mapped file that another program
 * cuts short ends the process.
 */
async function decodeFile(path: string): Promise<Pixels> {
  textOption('imageDecoder', 'path', path);
  const bytes = readBytes(path);
  const { format, name } = imageFormat(bytes.subarray(0, headBytes));
  if (format !== undefined) return await decodeWithSharp(path, format, bytes);
  const what = bytes.length === 0 ? 'it is empty' : name === undefined ? 'its format is unknown' : `it is ${name}`;
  throw undecodable(path, `${what}, and only ${imageFormats} are supported`);
}

const maxBytes = 2 ** 30;

function readBytes(path: string): Buffer {
  try {
    const size = statSync(path).size;
    if (size > maxBytes) throw undecodable(path, `it has ${size} bytes, and at most ${maxBytes} are read`);
    return readFileSync(path);
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}
