import { measureOptionTable } from '@lmd/training';
import { z } from 'zod';
import { mostSteps } from './limits.js';
import { described, limited, optionShape } from './option-schema.js';

const { every } = optionShape({
  every: limited(
    described(
      measureOptionTable.every,
      `${measureOptionTable.every.describe} \`logNormality\` goes with each validation.`,
    ),
    mostSteps,
  ),
});

const measured = z.boolean().default(false);

/** What is measured in training beside the loss. */
export const diagnosticsSchema = z
  .strictObject({
    every,
    weightGrowth: measured.describe('Root mean square of the weights, beside its start.'),
    priorBound: measured.describe("Share of LMD's medians at the bound 1/λ of its log-normal prior."),
    flipRate: measured.describe("Share of weights that a step moves to another value of the run's block format."),
    quantizationNoise: measured.describe(
      "Signal-to-noise ratio, clipping and kurtosis of each quantized product of a ViT, on validation images, in the run's block format and those of `evaluation.formats`.",
    ),
    gradientSignal: measured.describe('Signal-to-noise ratio of the gradients; takes two more vectors a weight.'),
    logNormality: measured.describe("Mean, deviation and quantile plot's correlation of the logarithms of medians."),
  })
  .prefault({})
  .describe(
    'Measurements, written to `metrics.jsonl` and drawn in the report; all of a run where a rule or format has them.',
  );

export type DiagnosticsConfiguration = z.output<typeof diagnosticsSchema>;
