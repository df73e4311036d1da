import { vitPresets } from '@lmd/models';
import { z } from 'zod';

const count = z.int().min(1);
const required = ['patchSize', 'width', 'depth', 'heads'] as const;

/** A Vision Transformer. The images' size and channels, and the number of classes, come from the data. */
export const modelSchema = z
  .strictObject({
    kind: z.literal('vit').default('vit').describe('Vision Transformer.'),
    preset: z
      .enum(Object.keys(vitPresets) as [string, ...string[]])
      .optional()
      .describe('Sizes by the names of the literature; the keys below replace single ones.'),
    patchSize: count.optional().describe('Height and width of a patch; divides those of the images.'),
    width: count.optional().describe('Features of a token.'),
    depth: count.optional().describe('Transformer blocks.'),
    heads: count.optional().describe('Attention heads; divides the width.'),
    mlpWidth: count.optional().describe('Features inside an MLP; by default 4 × width.'),
    pooling: z.enum(['mean', 'classToken']).optional().describe('What the head reads; by default `classToken`.'),
  })
  .superRefine((model, context) => {
    if (model.preset !== undefined) return;
    for (const key of required) {
      if (model[key] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [key], message: 'is missing; give it, or name a preset.' });
    }
  });

export type ModelConfiguration = z.output<typeof modelSchema>;
