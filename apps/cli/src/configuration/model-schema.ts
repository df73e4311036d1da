import { gpt2OptionTable, gpt2Presets, vitOptionTable, vitPresets } from '@lmd/models';
import { z } from 'zod';
import { deepestModel, largestSize } from './limits.js';
import { moduleModelSchema } from './module-schema.js';
import { described, limited, optionalShape, picked } from './option-schema.js';
import { pathSchema } from './path-schema.js';

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

/** The sizes of the command's models, none too large to list their weights. */
function blocksOf<T extends Blocks>(table: T) {
  return {
    width: limited(table.width, largestSize),
    depth: limited(table.depth, deepestModel),
    heads: limited(table.heads, largestSize),
    mlpWidth: limited(table.mlpWidth, largestSize),
    ...picked(table, ['dropout', 'attentionDropout', 'gelu', 'layerNormEpsilon', 'recomputation']),
  };
}

type Blocks = Pick<
  typeof vitOptionTable | typeof gpt2OptionTable,
  | 'width'
  | 'depth'
  | 'heads'
  | 'mlpWidth'
  | 'dropout'
  | 'attentionDropout'
  | 'gelu'
  | 'layerNormEpsilon'
  | 'recomputation'
>;

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
    ...optionalShape({
      patchSize: limited(vitOptionTable.patchSize, largestSize),
      ...blocksOf(vitOptionTable),
      stochasticDepth: vitOptionTable.stochasticDepth,
      pooling: vitOptionTable.pooling,
    }),
    weights,
  })
  .superRefine(presetOr(['patchSize', 'width', 'depth', 'heads']));

/** A GPT-2. The vocabulary is that of the data. */
export const gpt2Schema = z
  .strictObject({
    kind: z.literal('gpt2').describe('GPT-2, for text.'),
    preset: preset(gpt2Presets),
    ...optionalShape({
      vocabularySize: limited(
        described(
          gpt2OptionTable.vocabularySize,
          'Rows of the token embedding, at least the vocabulary size of the data; default: that size, or the ' +
            'rows in `weights`.',
        ),
        largestSize,
      ),
      contextLength: limited(
        described(
          gpt2OptionTable.contextLength,
          'Maximum sequence length in tokens; default: that of the preset, or the length of the examples.',
        ),
        largestSize,
      ),
      ...blocksOf(gpt2OptionTable),
    }),
    weights,
  })
  .superRefine(presetOr(['width', 'depth', 'heads']));

export const modelSchema = z.discriminatedUnion('kind', [vitSchema, gpt2Schema, moduleModelSchema]);

export type ModelConfiguration = z.output<typeof modelSchema>;
/** A model of the command, not of a third party. */
export type OwnModelConfiguration = Exclude<ModelConfiguration, { readonly kind: 'module' }>;

/** Keys of a preset that the data decides instead. */
const fromData = ['imageSize', 'channels', 'classes', 'vocabularySize'];

/** Keys of `model` that a preset decides. */
export const presetKeys: readonly string[] = [
  ...new Set([...Object.values(vitPresets), ...Object.values(gpt2Presets)].flatMap((preset) => Object.keys(preset))),
].filter((key) => !fromData.includes(key));
