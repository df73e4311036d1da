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
  option,
  sgdOptionTable,
} from '@lmd/core';
import { limited } from './option-schema.js';

/** Each of them is a forward and a backward pass of every step, so more than this is a slip. */
export const mostSamples = 1000;

const samplesOf = <O extends IntegerOption>(samples: O): O => limited(samples, mostSamples);

/** `evaluation.weights` of a configuration says which weights are evaluated, for every rule alike. */
const { evaluation: _, evaluationSamples: __, ...lmdTrainingOptions } = lmdOptionTable;

/** A file is not written for the names of one model's weights, so it gives one median for all of them. */
const priorMedian = option.either(
  [
    { kind: 'number', range: { above: 0 } },
    { kind: 'choice', choices: ['initialWeights'] },
  ],
  {
    describe:
      'm₀, the median of the prior, or `initialWeights` for a prior about the weights that the run starts from, to fine-tune; by default one about weight 0.',
  },
);

/**
 * The options of each rule as a configuration has them: those of the library, with its bounds, defaults and meanings, but for what is
 * overridden here. Defaults are never overridden, so that a rule without options is the same in a configuration and in a program.
 */
export const optimizerTables = {
  lmd: { ...lmdTrainingOptions, samples: samplesOf(lmdOptionTable.samples), priorMedian },
  adamw: adamwOptionTable,
  lion: lionOptionTable,
  sgd: sgdOptionTable,
  madam: madamOptionTable,
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
