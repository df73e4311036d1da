import type { DrawKey, EagerOperations, Model, NamedTensors, OptionsOf, OptionTable, Precision } from '@lmd/core';
import { option } from '@lmd/core';
import type { Dataset } from '../data/dataset.js';

/** The options of `evaluateUncertainty`, declared once. */
export const uncertaintyOptionTable = {
  /** Operations that run the computation. An object; required. */
  ops: option.object<EagerOperations>({ required: true, describe: 'Operations that run the computation.' }),
  /** The model. An object; required. */
  model: option.object<Model>({ required: true, describe: 'The model.' }),
  /**
   * The weights of each posterior sample, counted from 0. They are requested for each batch again, so that only one set
   * of weights is in memory, and disposed after its forward pass. A function; required.
   */
  weights: option.value<(sample: number) => NamedTensors>({
    required: true,
    describe:
      'The weights of each posterior sample, counted from 0. They are requested for each batch again, so that only ' +
      'one set of weights is in memory, and disposed after its forward pass.',
    allowed: 'a function',
    check: (value) => typeof value === 'function',
  }),
  /** Number of posterior samples whose probabilities are averaged. A whole number, at least 1; default 1. */
  samples: option.integer({
    atLeast: 1,
    default: 1,
    describe: 'Number of posterior samples whose probabilities are averaged.',
  }),
  /** Data set to evaluate on. An object; required. */
  dataset: option.object<Dataset>({ required: true, describe: 'Data set to evaluate on.' }),
  /** Precision of the matrix products. An object; required. */
  precision: option.object<Precision>({ required: true, describe: 'Precision of the matrix products.' }),
  /** Number of examples evaluated at once. A whole number, at least 1; required. */
  batchSize: option.integer({ atLeast: 1, required: true, describe: 'Number of examples evaluated at once.' }),
  /** Random key of stochastic rounding, if the precision uses it. Default: that of seed 0. An object. */
  key: option.object<DrawKey>({
    describe: 'Random key of stochastic rounding, if the precision uses it. Default: that of seed 0.',
  }),
  /** Number of bins of the calibration error. A whole number, at least 1; default 15. */
  calibrationBins: option.integer({ atLeast: 1, default: 15, describe: 'Number of bins of the calibration error.' }),
  /** Finds the temperature that minimizes the loss on this data set. True or false; default false. */
  fitTemperature: option.boolean({
    default: false,
    describe: 'Finds the temperature that minimizes the loss on this data set.',
  }),
  /** Also computes the loss at this temperature, such as one that was fitted on other data. Above 0. */
  temperature: option.number({
    above: 0,
    describe: 'Also computes the loss at this temperature, such as one that was fitted on other data.',
  }),
  /**
   * Ignores the labels: only the confidences are computed, as for data of other classes. True or false; default false.
   */
  ignoreLabels: option.boolean({
    default: false,
    describe: 'Ignores the labels: only the confidences are computed, as for data of other classes.',
  }),
  /** Called after each batch with the number of examples so far. A function. */
  onProgress: option.callback<(examples: number) => void>({
    describe: 'Called after each batch with the number of examples so far.',
  }),
  /** Aborting it ends the evaluation after the current batch, without a result. An object. */
  signal: option.object<AbortSignal>({
    describe: 'Aborting it ends the evaluation after the current batch, without a result.',
  }),
} as const satisfies OptionTable;

export interface UncertaintyOptions extends OptionsOf<typeof uncertaintyOptionTable> {}
