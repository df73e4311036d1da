import type { ImagePreprocessing } from '@lmd/core';
import { imagesInMemory, mnistNormalization, parseIdx, transformImages } from '@lmd/data/images';
import { vit } from '@lmd/models';
import { split } from '@lmd/training';
import type { DataKind } from '../settings/settings.js';
import type { Task } from '../training/task.js';

/** Pixels of a side of MNIST and of Fashion-MNIST. */
export const side = 28;
/** Images that are held out for validation while it trains. */
const heldOut = 300;
/** As the presets `digits` and `clothes` of `lmd`. */
const network = { patchSize: 7, width: 64, depth: 2, heads: 2, pooling: 'mean' } as const;

const clothes = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'];

/** The bytes of two IDX files: images and labels. */
export interface IdxPair {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Small grey images with ten classes, in the format of MNIST.
 *
 * @throws LmdError `DATA_CORRUPT`, `SHAPE_MISMATCH`.
 */
export function digitsTask(kind: Extract<DataKind, 'digits' | 'clothes'>, pair: IdxPair, seed: number): Task {
  const images = parseIdx(pair.images, 'the file of images');
  const labels = parseIdx(pair.labels, 'the file of labels');
  const [count = 0, height = 0, width = 0] = images.shape;
  const mean = mnistNormalization[kind === 'digits' ? 'mnist' : 'fashion-mnist'];
  const classNames = kind === 'digits' ? Array.from({ length: 10 }, (_, digit) => String(digit)) : clothes;
  const preprocessing: ImagePreprocessing = {
    ...{ height: side, width: side, channels: 1, fit: 'crop', cropFraction: 1, interpolation: 'bilinear' },
    ...{ orientation: 'exif', mean: [mean.mean], standardDeviation: [mean.standardDeviation] },
  };
  const { channels: _, orientation: __, ...transform } = preprocessing;
  const source = imagesInMemory({
    name: kind,
    images: images.data as Uint8Array,
    labels: labels.data as Uint8Array,
    ...{ height, width, channels: 1, classes: 10, classNames },
  });
  const held = Math.min(heldOut, Math.floor(count / 5));
  const { train, validation } = split(transformImages(source, transform), { validation: held, seed });
  const name = kind === 'digits' ? 'digits' : 'pictures of clothes';
  return {
    kind,
    model: vit({ imageSize: side, channels: 1, classes: 10, ...network }),
    train,
    validation: validation!,
    title: `${(count - held).toLocaleString('en')} ${name}; ${held} others are held out`,
    classNames,
    preprocessing,
    notes: [],
    files: {},
    configuration: {
      data: { kind: kind === 'digits' ? 'mnist' : 'fashion-mnist' },
      model: { kind: 'vit', ...network },
    },
  };
}

/** The bytes of a file that may be compressed by gzip, as IDX files usually are. */
export async function unzipped(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
