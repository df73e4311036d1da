import { z } from 'zod';
import { storedNumber } from '../run/number-codec.js';

const example = z.object({
  /** Position in the data set. */
  index: z.number(),
  label: z.number(),
  predicted: z.number(),
  /** Probability of the predicted class. */
  probability: storedNumber,
  /** A PNG in base64. */
  picture: z.string().regex(/^[A-Za-z0-9+/]*=*$/),
});

/** What a trained classifier predicts for a part of the held-out pictures. Stored as `predictions.json`. */
export const predictionsSchema = z.object({
  optimizer: z.string(),
  split: z.enum(['validation', 'test']),
  /** Number of examples that were predicted, of those of the split. */
  examples: z.number(),
  of: z.number(),
  classes: z.number(),
  /** By label; absent if they are not known. */
  classNames: z.array(z.string()).exactOptional(),
  /** How often each label was predicted as each class. */
  confusion: z.array(z.object({ label: z.number(), predicted: z.number(), count: z.number() })),
  samples: z.array(example),
  /** Mistakes, those with the largest loss first. */
  worst: z.array(example),
});

export type PredictedExample = z.output<typeof example>;
export type Predictions = z.output<typeof predictionsSchema>;
