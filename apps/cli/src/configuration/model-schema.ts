import { gpt2Presets, vitPresets } from '@lmd/models';
import { z } from 'zod';
import { pathSchema } from './path-schema.js';

const count = z
  .int()
  .min(1)
  .max(2 ** 20);
const rate = z.number().min(0).lt(1);

/** A preset, weights, whose file says the rest, or all of `required`. */
function presetOr<Name extends string>(required: readonly Name[]) {
  return (
    model: { readonly preset?: string | undefined; readonly weights?: string | undefined } & Partial<
      Record<Name, unknown>
    >,
    context: z.RefinementCtx,
  ) => {
    if (model.preset !== undefined || model.weights !== undefined) return;
    for (const key of required) {
      if (model[key] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [key], message: 'is missing; give it, a preset or weights.' });
    }
  };
}

const namesOf = (presets: object) => Object.keys(presets) as [string, ...string[]];
const preset = (presets: object) =>
  z
    .enum(namesOf(presets))
    .optional()
    .describe('Sizes by the names of the literature; the keys below replace single ones.');

const blocks = {
  width: count.optional().describe('Features of a token.'),
  depth: z.int().min(1).max(1000).optional().describe('Transformer blocks.'),
  heads: count.optional().describe('Attention heads; divides the width.'),
  mlpWidth: count.optional().describe('Features inside an MLP; by default 4 × width.'),
  dropout: rate
    .optional()
    .describe('Part of the elements of embeddings and branches dropped in training; by default 0.'),
  attentionDropout: rate.optional().describe('Part of the attention probabilities dropped in training; by default 0.'),
  gelu: z
    .enum(['none', 'tanh'])
    .optional()
    .describe(
      'GELU by the error function, or approximated by tanh; by default `none` for a vit and `tanh` for a gpt2.',
    ),
  layerNormEpsilon: z
    .number()
    .gt(0)
    .optional()
    .describe('Added to the variance in layer norms; by default 1e-6 for a vit and 1e-5 for a gpt2.'),
  recomputation: z
    .boolean()
    .optional()
    .describe('Whether blocks are run again in the backward pass: less memory, a third more work; by default false.'),
};

const weights = pathSchema
  .optional()
  .describe(
    'Start from the weights of this file or folder: a model of `lmd`, or one of transformers or timm, which also says the sizes; by default from the seed.',
  );

/** A Vision Transformer. The images' size and channels, and the number of classes, come from the data. */
export const vitSchema = z
  .strictObject({
    kind: z.literal('vit').describe('Vision Transformer, for images.'),
    preset: preset(vitPresets),
    patchSize: count.optional().describe('Height and width of a patch; divides those of the images.'),
    ...blocks,
    stochasticDepth: rate
      .optional()
      .describe('Part of the branches of the last block skipped in training; by default 0.'),
    pooling: z.enum(['mean', 'classToken']).optional().describe('What the head reads; by default `classToken`.'),
    weights,
  })
  .superRefine(presetOr(['patchSize', 'width', 'depth', 'heads']));

/** A GPT-2. The vocabulary comes from the data. */
export const gpt2Schema = z
  .strictObject({
    kind: z.literal('gpt2').describe('GPT-2, for text.'),
    preset: preset(gpt2Presets),
    vocabularySize: count
      .optional()
      .describe("Rows of the token embedding, at least the data's tokens; by default as many, or those of `weights`."),
    contextLength: count
      .optional()
      .describe("The longest sequence, in tokens; by default the preset's, or the length of the examples."),
    ...blocks,
    weights,
  })
  .superRefine(presetOr(['width', 'depth', 'heads']));

export const modelSchema = z.discriminatedUnion('kind', [vitSchema, gpt2Schema]);

export type ModelConfiguration = z.output<typeof modelSchema>;
