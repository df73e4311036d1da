import { gpt2Presets, vitPresets } from '@lmd/models';
import { z } from 'zod';
import { pathSchema } from './path-schema.js';

const count = z
  .int()
  .min(1)
  .max(2 ** 20);
const rate = z.number().min(0).lt(1);

/** Requires a preset, weights (whose file has the sizes), or all keys of `required`. */
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
      context.addIssue({ code: 'custom', path: [key], message: 'is missing. Set it, model.preset or model.weights.' });
    }
  };
}

const namesOf = (presets: object) => Object.keys(presets) as [string, ...string[]];
const preset = (presets: object) =>
  z
    .enum(namesOf(presets))
    .optional()
    .describe('Sizes by their names in the literature; the keys below override single values.');

const blocks = {
  width: count.optional().describe('Embedding width: features per token.'),
  depth: z.int().min(1).max(1000).optional().describe('Transformer blocks.'),
  heads: count.optional().describe('Number of attention heads; must divide the width.'),
  mlpWidth: count.optional().describe('Hidden width of the MLPs; default: 4 × width.'),
  dropout: rate.optional().describe('Dropout rate of embeddings and residual branches in training; default: 0.'),
  attentionDropout: rate.optional().describe('Dropout rate of attention probabilities in training; default: 0.'),
  gelu: z
    .enum(['none', 'tanh'])
    .optional()
    .describe(
      'GELU with the error function (`none`), or the tanh approximation; default: `none` for a vit, `tanh` for a gpt2.',
    ),
  layerNormEpsilon: z
    .number()
    .gt(0)
    .optional()
    .describe('Added to the variance in layer norms; default: 1e-6 for a vit, 1e-5 for a gpt2.'),
  recomputation: z
    .boolean()
    .optional()
    .describe(
      'Recompute blocks in the backward pass (gradient checkpointing): less memory, a third more computation; ' +
        'default: false.',
    ),
};

const weights = pathSchema
  .optional()
  .describe(
    'File or folder of the initial weights: a model of `lmd`, transformers or timm, which also determines the ' +
      'sizes; default: random weights from the seed.',
  );

/** A Vision Transformer. Image size, channels and number of classes are those of the data. */
export const vitSchema = z
  .strictObject({
    kind: z.literal('vit').describe('Vision Transformer, for images.'),
    preset: preset(vitPresets),
    patchSize: count.optional().describe('Height and width of a patch; must divide those of the images.'),
    ...blocks,
    stochasticDepth: rate
      .optional()
      .describe('Stochastic depth: drop rate of the residual branches of the last block in training; default: 0.'),
    pooling: z
      .enum(['mean', 'classToken'])
      .optional()
      .describe('Input of the classification head; default: `classToken`.'),
    weights,
  })
  .superRefine(presetOr(['patchSize', 'width', 'depth', 'heads']));

/** A GPT-2. The vocabulary is that of the data. */
export const gpt2Schema = z
  .strictObject({
    kind: z.literal('gpt2').describe('GPT-2, for text.'),
    preset: preset(gpt2Presets),
    vocabularySize: count
      .optional()
      .describe(
        'Rows of the token embedding, at least the vocabulary size of the data; default: that size, or the ' +
          'rows in `weights`.',
      ),
    contextLength: count
      .optional()
      .describe('Maximum sequence length in tokens; default: that of the preset, or the length of the examples.'),
    ...blocks,
    weights,
  })
  .superRefine(presetOr(['width', 'depth', 'heads']));

export const modelSchema = z.discriminatedUnion('kind', [vitSchema, gpt2Schema]);

export type ModelConfiguration = z.output<typeof modelSchema>;
