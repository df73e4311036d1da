import { measureOptionTable } from '@lmd/training';
import { z } from 'zod';
import { mostSteps } from './limits.js';
import { described, limited, optionShape } from './option-schema.js';

const { every } = optionShape({
  every: limited(
    described(
      measureOptionTable.every,
      `${measureOptionTable.every.describe} \`logNormality\` is measured at each validation.`,
    ),
    mostSteps,
  ),
});

const measured = z.boolean().default(false);

/** Measurements during training in addition to the loss. */
export const diagnosticsSchema = z
  .strictObject({
    every,
    weightGrowth: measured.describe('Root mean square of the weights, also relative to its initial value.'),
    priorBound: measured.describe(
      "Fraction of LMD's medians at the bound 1/λ of its log-normal prior, with a constant λ.",
    ),
    flipRate: measured.describe("Fraction of quantized weights that change in a step, in the run's block format."),
    oscillationRate: measured.describe(
      'Fraction of quantized weights that change in a step and return to their value of two steps before.',
    ),
    quantizationNoise: measured.describe(
      'Signal-to-noise ratio, clipping and kurtosis of each quantized product of a ViT, on validation images, in ' +
        "the run's block format and those of `evaluation.formats`.",
    ),
    gradientSignal: measured.describe(
      'Signal-to-noise ratio of the gradients; needs two additional vectors per weight.',
    ),
    logNormality: measured.describe("Mean, standard deviation and Q-Q correlation of the logarithms of LMD's medians."),
  })
  .prefault({})
  .describe(
    'Measurements, written to `metrics.jsonl` and plotted in the report, if they apply to the optimizer and the ' +
      'format.',
  );

export type DiagnosticsConfiguration = z.output<typeof diagnosticsSchema>;
