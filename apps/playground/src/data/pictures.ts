import { type ImagePreprocessing, LmdError } from '@lmd/core';
import { imagesInMemory, splitByClass, transformImages } from '@lmd/data/images';
import { vit } from '@lmd/models';
import { subset } from '@lmd/training';
import type { Task } from '../training/task.js';

/** Pixels of a side of the input, to which pictures are reduced. */
export const pictureSide = 32;
/** As the preset `own-pictures` of `lmd`. */
const network = { patchSize: 8, width: 64, depth: 2, heads: 2, pooling: 'classToken' } as const;
/** Mean and standard deviation of ImageNet's training images, as in `lmd`. */
const imageNet = { mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225] };
const leastPerClass = 3;

/** A picture of the user. */
export interface GivenPicture {
  readonly className: string;
  readonly name: string;
  readonly blob: Blob;
}

/** A picture reduced to the size of the input: RGB bytes, and the same as a PNG file. */
export interface SmallPicture {
  readonly pixels: Uint8Array;
  readonly png: Uint8Array;
}

/**
 * Pictures in classes.
 *
 * @param decode reduces a picture; throws for one that does not decode, which is left out with a note.
 * @throws LmdError `DATA_CORRUPT` for fewer than two classes with three pictures each, saying what is missing.
 */
export async function picturesTask(
  pictures: readonly GivenPicture[],
  seed: number,
  decode: (blob: Blob) => Promise<SmallPicture>,
): Promise<Task> {
  const read: { readonly className: string; readonly small: SmallPicture }[] = [];
  const unread: string[] = [];
  for (const { className, name, blob } of pictures) {
    try {
      read.push({ className, small: await decode(blob) });
    } catch {
      unread.push(name);
    }
  }
  const classNames = [...new Set(read.map(({ className }) => className))].sort();
  checkClasses(
    classNames,
    read.map(({ className }) => className),
    unread,
  );
  const labels = Int32Array.from(read, ({ className }) => classNames.indexOf(className));
  const bytes = pictureSide ** 2 * 3;
  const images = new Uint8Array(read.length * bytes);
  for (const [n, { small }] of read.entries()) images.set(small.pixels, n * bytes);
  const size = { height: pictureSide, width: pictureSide };
  const source = imagesInMemory({
    ...size,
    ...{ name: 'pictures', images, labels, channels: 3, classes: classNames.length, classNames },
  });
  const transform = { ...size, fit: 'crop', cropFraction: 1, interpolation: 'bilinear', ...imageNet } as const;
  const held = Math.max(classNames.length, Math.floor(read.length / 5));
  const parts = splitByClass(labels, classNames, { validation: held, test: classNames.length, seed });
  const augmented = transformImages(source, { ...transform, augmentation: { crop: { padding: 2 }, flip: 0.5 } });
  const plain = transformImages(source, transform);
  // There is no test here, so its pictures are held out too.
  const heldOut = Int32Array.from([...parts.validation, ...parts.test]).sort();
  const preprocessing: ImagePreprocessing = { ...transform, channels: 3, orientation: 'exif' };
  return {
    kind: 'pictures',
    model: vit({ imageSize: pictureSide, channels: 3, classes: classNames.length, ...network }),
    train: subset(augmented, parts.train, 'pictures/train'),
    validation: subset(plain, heldOut, 'pictures/validation'),
    title: `${parts.train.length} pictures of ${classNames.join(', ')}; ${heldOut.length} others are held out`,
    classNames,
    preprocessing,
    notes: unread.length === 0 ? [] : [unreadNote(unread)],
    files: Object.fromEntries(
      read.map(({ className, small }, n) => [`pictures/${className}/${String(n).padStart(5, '0')}.png`, small.png]),
    ),
    configuration: {
      data: { kind: 'imageFolder', folder: 'data/pictures', size: pictureSide },
      model: { kind: 'vit', ...network },
    },
  };
}

function unreadNote(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${shown}${more} could not be decoded and ${names.length === 1 ? 'is' : 'are'} left out.`;
}

function checkClasses(classNames: readonly string[], all: readonly string[], unread: readonly string[]): void {
  const small = classNames.find((name) => all.filter((one) => one === name).length < leastPerClass);
  const problem =
    classNames.length < 2
      ? `The pictures have ${classNames.length === 0 ? 'no class' : `only the class ${classNames[0]}`}.`
      : small === undefined
        ? undefined
        : `The class ${small} has fewer than ${leastPerClass} pictures.`;
  if (problem === undefined) return;
  throw new LmdError('DATA_CORRUPT', [problem, ...(unread.length === 0 ? [] : [unreadNote(unread)])].join(' '), {
    subject: 'pictures',
    value: classNames,
    remedy: `Use at least two classes with ${leastPerClass} pictures each, in a folder for each class.`,
  });
}
