import { type ImagePreprocessing, LmdError } from '@lmd/core';
import type { BlobLike } from '@lmd/safetensors';
import type { DrawableImage, PixelData } from './image-input.js';
import { isBlob } from './model-sources.js';

/** The part of a browser that is used here. Library code is compiled without its types. */
interface Browser {
  readonly createImageBitmap?: (blob: BlobLike, options: object) => Promise<DrawableImage & { close(): void }>;
  readonly Blob: new (parts: readonly Uint8Array[]) => BlobLike;
  readonly OffscreenCanvas?: new (
    width: number,
    height: number,
  ) => {
    getContext(
      kind: '2d',
      options: object,
    ): {
      drawImage(image: unknown, x: number, y: number): void;
      getImageData(x: number, y: number, width: number, height: number): PixelData;
    } | null;
  };
}

const browser = globalThis as unknown as Browser;

/**
 * Decodes an encoded image as a browser does: JPEG, PNG, WebP, GIF (first frame), AVIF and what else it knows, without
 * colour management. Browsers differ from Pillow and from each other by a few levels. A browser decodes in full, with
 * `decoding: 'reduced'` too: it has no decoding of JPEGs at a reduced size.
 *
 * @throws LmdError `DATA_CORRUPT` if it cannot be decoded; `UNSUPPORTED` outside of a browser.
 */
export async function decodeInBrowser(
  image: Uint8Array | BlobLike,
  { orientation }: Pick<ImagePreprocessing, 'orientation'>,
): Promise<PixelData> {
  const { createImageBitmap, Blob } = browser;
  if (createImageBitmap === undefined) {
    throw new LmdError('UNSUPPORTED', 'This program cannot decode images: it has no createImageBitmap.', {
      subject: 'image',
      remedy: 'In Node, use loadModel of @lmd/inference/node. Elsewhere, pass { data, width, height, channels }.',
    });
  }
  const blob = isBlob(image) ? image : new Blob([image]);
  const options = {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
    imageOrientation: orientation === 'exif' ? 'from-image' : 'none',
  };
  let bitmap: Awaited<ReturnType<NonNullable<Browser['createImageBitmap']>>>;
  try {
    bitmap = await createImageBitmap(blob, options);
  } catch (cause) {
    throw new LmdError('DATA_CORRUPT', `An image cannot be decoded: ${(cause as Error).message.replace(/\.$/, '')}.`, {
      subject: 'image',
      remedy: 'Use a format that the browser shows, such as JPEG, PNG or WebP, and check that the file is whole.',
      cause,
    });
  }
  try {
    return drawInBrowser(bitmap);
  } finally {
    bitmap.close();
  }
}

/** The pixels of a canvas, an ImageBitmap, or an image or video element: RGBA, at its own size. */
export function drawInBrowser(image: DrawableImage): PixelData {
  const [width, height] = sizeOfDrawable(image);
  const { OffscreenCanvas } = browser;
  const context =
    OffscreenCanvas === undefined || !(width >= 1 && height >= 1)
      ? null
      : new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw undrawable(image, width, height);
  try {
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, width, height);
  } catch (cause) {
    throw undrawable(image, width, height, cause);
  }
}

/** Elements have their size on the page as well, which is not that of their pixels. */
function sizeOfDrawable(image: DrawableImage): readonly [width: number, height: number] {
  const { naturalWidth, naturalHeight, videoWidth, videoHeight, width, height } = image as DrawableImage & {
    readonly [name: string]: number | undefined;
  };
  return [naturalWidth ?? videoWidth ?? width ?? 0, naturalHeight ?? videoHeight ?? height ?? 0];
}

function undrawable(image: unknown, width: number, height: number, cause?: unknown): LmdError {
  const kind = Object.prototype.toString.call(image);
  const reason = cause === undefined ? '' : `: ${(cause as Error).message}`;
  return new LmdError(
    'INVALID_ARGUMENT',
    `An image is ${kind} of ${width} × ${height} pixels, not drawable${reason}.`,
    {
      subject: 'image',
      value: image,
      remedy:
        'Use a loaded image of the same origin, a canvas or an ImageBitmap. Outside of a page, pass { data, width, ' +
        'height, channels }.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
