import {
  type Backend,
  checkBackend,
  checkModel,
  checkOperations,
  checkOptimizer,
  createOperations,
  type EagerOperations,
  LmdError,
  lmdOptionTable,
  type Model,
  type OperandPrecision,
  type Optimizer,
  type OptionsOf,
  type OptionTable,
  option,
  type Precision,
  type ResolvedOptions,
  refuseUnknownOptions,
  resolveOptions,
  roundingDefaults,
} from '@lmd/core';
import type { LoadedCheckpoint } from './checkpoints/checkpoint.js';
import { checkDataset } from './data/check-batch.js';
import type { Dataset } from './data/dataset.js';
import { type DataOrder, dataOrder, dataOrderOptionTable } from './data/order.js';
import { checkPlugins } from './hooks.js';
import { assertJson, type Json } from './json.js';
import type { Plugin, TrainingData } from './plugin.js';

/** The options of `train`, declared once. */
export const trainOptionTable = {
  /** Where to compute: one of `backend` and `ops`. An object. */
  backend: option.object<Backend>({ describe: 'Where to compute: one of `backend` and `ops`.' }),
  /** Operations that the caller has made of a backend already, and goes on to use. An object. */
  ops: option.object<EagerOperations>({
    describe: 'Operations that the caller has made of a backend already, and goes on to use.',
  }),
  // What `checkModel` and `checkOptimizer` say of another value helps more.
  /** The network. A model; required. */
  model: option.value<Model>({ required: true, describe: 'The network.', allowed: 'a model', check: () => true }),
  /** What updates its weights. An optimizer; required. */
  optimizer: option.value<Optimizer>({
    required: true,
    describe: 'What updates its weights.',
    allowed: 'an optimizer',
    check: () => true,
  }),
  /** Of the products. An object; required. */
  precision: option.object<Precision>({ required: true, describe: 'Of the products.' }),
  /** The examples. An object; required. */
  data: option.object<TrainingData>({ required: true, describe: 'The examples.' }),
  /** Seed of the initial weights, the data order and all noise. A whole number, at least 0; required. */
  seed: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Seed of the initial weights, the data order and all noise.',
  }),
  /** How long to train: one of `steps` and `epochs`. The total, also for a resumed run. A whole number, at least 0. */
  steps: option.integer({
    atLeast: 0,
    describe: 'How long to train: one of `steps` and `epochs`. The total, also for a resumed run.',
  }),
  /** How long to train, in passes over the data. A whole number, at least 0. */
  epochs: option.integer({ atLeast: 0, describe: 'How long to train, in passes over the data.' }),
  /** Examples a step. A whole number, at least 1; required. */
  batchSize: option.integer({ atLeast: 1, required: true, describe: 'Examples a step.' }),
  /**
   * Examples that go through the model at once; gradients accumulate over a batch. Less memory, and the same gradients
   * to rounding. By default the whole batch. A whole number, at least 1.
   */
  microBatchSize: option.integer({
    atLeast: 1,
    describe:
      'Examples that go through the model at once; gradients accumulate over a batch. Less memory, and the same gradients to rounding. By default the whole batch.',
  }),
  /**
   * Frees the old state weight by weight while the update makes the new one, so that never two states are alive: for
   * models whose state fills most of the memory. It changes no result and costs a second readback a step. A step whose
   * gradients are not finite still leaves the state before it; one whose new state is not finite does not, and the run
   * goes back to its newest checkpoint. True or false; default false.
   */
  updateInPlace: option.boolean({
    default: false,
    describe:
      'Frees the old state weight by weight while the update makes the new one, so that never two states are alive: for models whose state fills most of the memory. It changes no result and costs a second readback a step. A step whose gradients are not finite still leaves the state before it; one whose new state is not finite does not, and the run goes back to its newest checkpoint.',
  }),
  /**
   * Keeps an epoch's last batch when it is short; without it every step sees `batchSize` examples. True or false;
   * default false.
   */
  keepPartialBatch: dataOrderOptionTable.keepPartialBatch,
  /**
   * Batches that the data set is asked for before they are needed, so that they are read and decoded while a step is
   * computed. It changes no result. 0 asks for each when its step begins. A whole number, at least 0; default 1.
   */
  prefetch: option.integer({
    atLeast: 0,
    default: 1,
    describe:
      'Batches that the data set is asked for before they are needed, so that they are read and decoded while a step is computed. It changes no result. 0 asks for each when its step begins.',
  }),
  /**
   * Steps between evaluations on the validation data, or a function that says after which steps, counted from 1, to
   * make one: a pure one, so that a resumed run evaluates as it would have. One is always made after the last step, by
   * default the only one. An integer at least 1, or a function of the step.
   */
  evaluateEvery: option.value<number | ((step: number) => boolean)>({
    describe:
      'Steps between evaluations on the validation data, or a function that says after which steps, counted from 1, to make one: a pure one, so that a resumed run evaluates as it would have. One is always made after the last step, by default the only one.',
    allowed: 'an integer at least 1, or a function of the step',
    check: (value) => typeof value === 'function' || (Number.isSafeInteger(value) && (value as number) >= 1),
  }),
  /** Examples that are evaluated at once; by default `batchSize`. A whole number, at least 1. */
  evaluationBatchSize: option.integer({
    atLeast: 1,
    describe: 'Examples that are evaluated at once; by default `batchSize`.',
  }),
  /** Which weights are evaluated and returned; by default the optimizer's own choice. `mean`, `median` or `sample`. */
  evaluationWeights: option.choice(lmdOptionTable.evaluation.choices, {
    describe: "Which weights are evaluated and returned; by default the optimizer's own choice.",
  }),
  /** What happens around the step, in this order. A list of plugins. */
  plugins: option.value<readonly Plugin[]>({
    describe: 'What happens around the step, in this order.',
    allowed: 'a list of plugins',
    check: Array.isArray,
  }),
  /**
   * Goes on from a checkpoint, as if the run had never been interrupted. Given as a function, it is called once, and
   * what it gives is let go when the run has begun: a checkpoint on the host is as large as the state. A checkpoint or
   * a function that resolves to one.
   */
  resume: option.value<LoadedCheckpoint | (() => Promise<LoadedCheckpoint | undefined>)>({
    describe:
      'Goes on from a checkpoint, as if the run had never been interrupted. Given as a function, it is called once, and what it gives is let go when the run has begun: a checkpoint on the host is as large as the state.',
    allowed: 'a checkpoint or a function that resolves to one',
    check: (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
  }),
  /** Whatever else must be equal in a resumed run, such as the optimizer's options. Kept in checkpoints. JSON. */
  configuration: option.value<Json>({
    describe: "Whatever else must be equal in a resumed run, such as the optimizer's options. Kept in checkpoints.",
    allowed: 'JSON',
    // `assertJson` names the part that is not.
    check: () => true,
  }),
  /** Aborting it finishes the step, lets plugins save, and ends the run with status `interrupted`. An object. */
  signal: option.object<AbortSignal>({
    describe: 'Aborting it finishes the step, lets plugins save, and ends the run with status `interrupted`.',
  }),
} as const satisfies OptionTable;

export interface TrainOptions extends OptionsOf<typeof trainOptionTable> {}

/** Validated options, and values derived from them. */
export interface TrainPlan extends Omit<ResolvedOptions<typeof trainOptionTable>, 'ops'> {
  readonly ops: EagerOperations;
  readonly microBatchSize: number;
  readonly evaluationBatchSize: number;
  readonly plugins: readonly Plugin[];
  readonly order: DataOrder;
  readonly totalSteps: number;
  /** The identity that a checkpoint must match. */
  readonly identity: { readonly [key: string]: Json };
}

/** Checks everything that can be checked before the run starts. */
export function planTraining(options: TrainOptions): TrainPlan {
  const checked = resolveOptions('train', trainOptionTable, options);
  const { model, optimizer, precision, data, seed, batchSize, keepPartialBatch, configuration = null } = checked;
  const { plugins = [], microBatchSize = batchSize, evaluationBatchSize = batchSize } = checked;
  refuseUnknownOptions('train: data', data, ['train', 'validation', 'test']);
  for (const part of ['train', 'validation', 'test'] as const) {
    if (part === 'train' || data[part] !== undefined) checkDataset('train', `data.${part}`, data[part] as Dataset);
  }
  checkModel(model);
  checkOptimizer(optimizer);
  checkPlugins(plugins);
  if (checked.ops !== undefined) checkOperations(checked.ops);
  if (checked.backend !== undefined) checkBackend(checked.backend);
  const order = dataOrder({ size: data.train.size, batchSize, seed, keepPartialBatch });
  const totalSteps = exactlyOne(options, 'steps', 'epochs') ? checked.steps! : checked.epochs! * order.batchesPerEpoch;
  assertJson(configuration, 'configuration');
  const ops = exactlyOne(options, 'ops', 'backend') ? checked.ops! : createOperations(checked.backend!);
  return {
    ...checked,
    ops,
    microBatchSize,
    evaluationBatchSize,
    plugins,
    order,
    totalSteps,
    identity: {
      model: model.name,
      optimizer: optimizer.name,
      dataset: { name: data.train.name, size: data.train.size },
      seed,
      batchSize,
      microBatchSize,
      keepPartialBatch,
      precision: {
        forward: namesOf(precision.forward),
        backward: namesOf(precision.backward),
      },
      configuration,
    },
  };
}

/** The name of a format and its rounding. */
function namesOf(operands: { readonly [operand: string]: OperandPrecision }): Json {
  return Object.fromEntries(
    Object.entries(operands).map(([operand, precision]) => {
      if (typeof precision === 'string') return [operand, precision];
      const { format, rounding = roundingDefaults.rounding, scaleMode = roundingDefaults.scaleMode } = precision;
      return [operand, { format: format.name, rounding, scaleMode }];
    }),
  );
}

/** Returns whether the first option is given; throws if both or neither are. */
function exactlyOne(options: TrainOptions, first: keyof TrainOptions, second: keyof TrainOptions): boolean {
  const isFirst = options[first] !== undefined;
  if (isFirst === (options[second] !== undefined)) {
    throw new LmdError('INVALID_ARGUMENT', `train has ${isFirst ? 'both' : 'neither of'} ${first} and ${second}.`, {
      subject: first,
      value: options[first],
      remedy: `Use exactly one of ${first} and ${second}.`,
    });
  }
  return isFirst;
}
