import {
  adamwOptionTable,
  exponentiatedGradientOptionTable,
  type IntegerOption,
  ivonOptionTable,
  lieGroupAdditiveOptionTable,
  lieGroupAffineOptionTable,
  lieGroupMultiplicativeOptionTable,
  lionOptionTable,
  lmdOptionTable,
  madamOptionTable,
  multiplicativeWeightsOptionTable,
  muonOptionTable,
  option,
  scheduleOptionTable,
  sgdOptionTable,
  signumOptionTable,
} from '@lmd/core';
import { described, limited, withDefault } from './option-schema.js';

/** Each of them is a forward and a backward pass of every step, so more than this is a slip. */
export const mostSamples = 1000;

const samplesOf = <O extends IntegerOption>(samples: O): O => limited(samples, mostSamples);

/** `evaluation.weights` of a configuration sets which weights are evaluated, for all optimizers. */
const { evaluation: _, evaluationSamples: __, ...lmdTrainingOptions } = lmdOptionTable;

/** A configuration does not depend on the names of weights, so it has one median for all of them. */
const priorMedian = option.either(
  [
    { kind: 'number', range: { above: 0 } },
    { kind: 'choice', choices: ['initialWeights'] },
  ],
  {
    describe:
      'm₀: median of the prior, or `initialWeights` for a prior centred at the initial weights (fine-tuning); ' +
      'default: a prior centred at weight 0.',
  },
);

const { kind, final } = scheduleOptionTable;
const courseOf = (key: string) => withDefault(described(kind, `Course of \`${key}\` over the run.`), 'constant');
const endOf = (key: string) =>
  described(final, `\`${key}\` of the last step, as a fraction of that of the first. Ignored by \`constant\`.`);

/** Keys of `lmd` in a configuration beside its options: schedules of λ and σ, flat so that a study can search them. */
export const lmdScheduleTable = {
  regularizationSchedule: courseOf('regularization'),
  regularizationFinal: endOf('regularization'),
  noiseSchedule: courseOf('noise'),
  noiseFinal: endOf('noise'),
} as const;

/**
 * The options of each optimizer in a configuration: those of the library, with their bounds, defaults and descriptions,
 * except for the overrides here. Defaults are never overridden, so that an optimizer without options is the same in a
 * configuration and in a program.
 */
export const optimizerTables = {
  lmd: { ...lmdTrainingOptions, samples: samplesOf(lmdOptionTable.samples), priorMedian },
  adamw: adamwOptionTable,
  muon: muonOptionTable,
  lion: lionOptionTable,
  signum: signumOptionTable,
  sgd: sgdOptionTable,
  madam: madamOptionTable,
  multiplicativeWeights: multiplicativeWeightsOptionTable,
  exponentiatedGradient: exponentiatedGradientOptionTable,
  lieGroupAdditive: { ...lieGroupAdditiveOptionTable, samples: samplesOf(lieGroupAdditiveOptionTable.samples) },
  lieGroupMultiplicative: {
    ...lieGroupMultiplicativeOptionTable,
    samples: samplesOf(lieGroupMultiplicativeOptionTable.samples),
  },
  lieGroupAffine: { ...lieGroupAffineOptionTable, samples: samplesOf(lieGroupAffineOptionTable.samples) },
  ivon: { ...ivonOptionTable, samples: samplesOf(ivonOptionTable.samples) },
} as const;

export type ConfigurableRule = keyof typeof optimizerTables;
