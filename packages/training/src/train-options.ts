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
import { type DataOrder, dataOrder, dataOrderOptionTable, shareOf } from './data/order.js';
import { checkExchange, type StepExchange } from './exchange.js';
import { checkPlugins } from './hooks.js';
import { assertJson, type Json } from './json.js';
import type { LossFunction } from './loss.js';
import { thisTraining } from './made-by.js';
import type { Plugin, TrainingData } from './plugin.js';

/** The options of `train`, declared once. */
export const trainOptionTable = {
  /** Backend that runs the computation; use either `backend` or `ops`. An object. */
  backend: option.object<Backend>({ describe: 'Backend that runs the computation; use either `backend` or `ops`.' }),
  /** Operations that the caller has created from a backend and continues to use, instead of `backend`. An object. */
  ops: option.object<EagerOperations>({
    describe: 'Operations that the caller has created from a backend and continues to use, instead of `backend`.',
  }),
  // What `checkModel` and `checkOptimizer` say of another value helps more.
  /** The model. A model; required. */
  model: option.value<Model>({ required: true, describe: 'The model.', allowed: 'a model', check: () => true }),
  /** The optimizer. An optimizer; required. */
  optimizer: option.value<Optimizer>({
    required: true,
    describe: 'The optimizer.',
    allowed: 'an optimizer',
    check: () => true,
  }),
  /** Precision of the matrix products. An object; required. */
  precision: option.object<Precision>({ required: true, describe: 'Precision of the matrix products.' }),
  /**
   * Custom loss: a function of (ops, weights, batch, context) that returns a scalar tensor, the mean over the batch, as
   * `LossFunction` describes. Without it, the loss is the cross-entropy of the model's logits. Validation and test data
   * are not supported with it, since their results are those of logits: evaluate in a plugin. A function.
   */
  loss: option.callback<LossFunction>({
    describe:
      'Custom loss: a function of (ops, weights, batch, context) that returns a scalar tensor, the mean over the ' +
      "batch, as `LossFunction` describes. Without it, the loss is the cross-entropy of the model's logits. " +
      'Validation and test data are not supported with it, since their results are those of logits: evaluate in a ' +
      'plugin.',
  }),
  /** Training data, and optionally validation and test data. An object; required. */
  data: option.object<TrainingData>({
    required: true,
    describe: 'Training data, and optionally validation and test data.',
  }),
  /** Random seed of the initial weights, the data order and all noise. A whole number, at least 0; required. */
  seed: option.integer({
    atLeast: 0,
    required: true,
    describe: 'Random seed of the initial weights, the data order and all noise.',
  }),
  /**
   * Total number of training steps, also for a resumed run; use either `steps` or `epochs`. A whole number, at least 0.
   */
  steps: option.integer({
    atLeast: 0,
    describe: 'Total number of training steps, also for a resumed run; use either `steps` or `epochs`.',
  }),
  /** Total number of passes over the training data. A whole number, at least 0. */
  epochs: option.integer({ atLeast: 0, describe: 'Total number of passes over the training data.' }),
  /** Number of examples per step. A whole number, at least 1; required. */
  batchSize: option.integer({ atLeast: 1, required: true, describe: 'Number of examples per step.' }),
  /**
   * Number of examples per forward and backward pass; gradients are accumulated over the batch. It uses less memory,
   * and gradients are the same up to rounding. Default: the whole batch. A whole number, at least 1.
   */
  microBatchSize: option.integer({
    atLeast: 1,
    describe:
      'Number of examples per forward and backward pass; gradients are accumulated over the batch. It uses less ' +
      'memory, and gradients are the same up to rounding. Default: the whole batch.',
  }),
  /**
   * Frees the old state of each weight as soon as the update has computed the new one, so that two full states are
   * never in memory at once; for models whose state fills most of the memory. It does not change results and takes a
   * second readback per step. If the gradients of a step are not finite, the previous state is kept; if the new state
   * is not finite, the previous state is lost, and the run has to resume from its newest checkpoint. True or false;
   * default false.
   */
  updateInPlace: option.boolean({
    default: false,
    describe:
      'Frees the old state of each weight as soon as the update has computed the new one, so that two full ' +
      'states are never in memory at once; for models whose state fills most of the memory. It does not change ' +
      'results and takes a second readback per step. If the gradients of a step are not finite, the previous ' +
      'state is kept; if the new state is not finite, the previous state is lost, and the run has to resume from ' +
      'its newest checkpoint.',
  }),
  /**
   * Whether the last batch of an epoch is kept if it is smaller than `batchSize`; otherwise it is dropped. True or
   * false; default false.
   */
  keepPartialBatch: dataOrderOptionTable.keepPartialBatch,
  /**
   * Number of batches requested from the data set in advance, so that they are read and decoded while a step is
   * computed. It does not change results. With 0, each batch is requested when its step begins. A whole number, at
   * least 0; default 1.
   */
  prefetch: option.integer({
    atLeast: 0,
    default: 1,
    describe:
      'Number of batches requested from the data set in advance, so that they are read and decoded while a step ' +
      'is computed. It does not change results. With 0, each batch is requested when its step begins.',
  }),
  /**
   * Number of steps between evaluations on the validation data, or a function that returns whether to evaluate after a
   * step, counted from 1; it must be pure, so that a resumed run evaluates at the same steps. The model is always
   * evaluated after the last step; by default, only then. An integer at least 1, or a function of the step.
   */
  evaluateEvery: option.value<number | ((step: number) => boolean)>({
    describe:
      'Number of steps between evaluations on the validation data, or a function that returns whether to ' +
      'evaluate after a step, counted from 1; it must be pure, so that a resumed run evaluates at the same ' +
      'steps. The model is always evaluated after the last step; by default, only then.',
    allowed: 'an integer at least 1, or a function of the step',
    check: (value) => typeof value === 'function' || (Number.isSafeInteger(value) && (value as number) >= 1),
  }),
  /**
   * How the workers of a distributed run agree on each update (@lmd/distributed). `batchSize` is that of all workers
   * together; each reads its own share of every batch. An object.
   */
  exchange: option.object<StepExchange>({
    describe:
      'How the workers of a distributed run agree on each update (@lmd/distributed). `batchSize` is that of all ' +
      'workers together; each reads its own share of every batch.',
  }),
  /** Number of examples evaluated at once. Default: `batchSize`. A whole number, at least 1. */
  evaluationBatchSize: option.integer({
    atLeast: 1,
    describe: 'Number of examples evaluated at once. Default: `batchSize`.',
  }),
  /**
   * Weights of the posterior to evaluate and return. Default: those that the optimizer selects. `mean`, `median` or
   * `sample`.
   */
  evaluationWeights: option.choice(lmdOptionTable.evaluation.choices, {
    describe: 'Weights of the posterior to evaluate and return. Default: those that the optimizer selects.',
  }),
  /** Plugins, called in this order. A list of plugins. */
  plugins: option.value<readonly Plugin[]>({
    describe: 'Plugins, called in this order.',
    allowed: 'a list of plugins',
    check: Array.isArray,
  }),
  /**
   * Checkpoint to resume from; the run continues as if it had not been interrupted. A function is called once, and its
   * result is released when the run has started, since a checkpoint in host memory is as large as the state. A
   * checkpoint or a function that resolves to one.
   */
  resume: option.value<LoadedCheckpoint | (() => Promise<LoadedCheckpoint | undefined>)>({
    describe:
      'Checkpoint to resume from; the run continues as if it had not been interrupted. A function is called ' +
      'once, and its result is released when the run has started, since a checkpoint in host memory is as large ' +
      'as the state.',
    allowed: 'a checkpoint or a function that resolves to one',
    check: (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
  }),
  /**
   * Further settings that must be equal in a resumed run, such as the optimizer's options. They are stored in
   * checkpoints. JSON.
   */
  configuration: option.value<Json>({
    describe:
      "Further settings that must be equal in a resumed run, such as the optimizer's options. They are stored in " +
      'checkpoints.',
    allowed: 'JSON',
    // `assertJson` names the part that is not.
    check: () => true,
  }),
  /**
   * Aborting it finishes the current step, lets plugins save, and ends the run with status `interrupted`. An object.
   */
  signal: option.object<AbortSignal>({
    describe: 'Aborting it finishes the current step, lets plugins save, and ends the run with status `interrupted`.',
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
  const { plugins = [], exchange, evaluationBatchSize = batchSize } = checked;
  if (exchange !== undefined) checkExchange(exchange, checked);
  const { microBatchSize = batchSize / (exchange?.workers ?? 1) } = checked;
  refuseUnknownOptions('train: data', data, ['train', 'validation', 'test']);
  for (const part of ['train', 'validation', 'test'] as const) {
    if (part === 'train' || data[part] !== undefined) checkDataset('train', `data.${part}`, data[part] as Dataset);
  }
  if (checked.loss !== undefined) refuseEvaluation(data);
  const receiver = thisTraining;
  checkModel(model, { receiver });
  checkOptimizer(optimizer, { receiver });
  checkPlugins(plugins);
  if (checked.ops !== undefined) checkOperations(checked.ops, { receiver });
  if (checked.backend !== undefined) checkBackend(checked.backend, { receiver });
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
    order: exchange === undefined ? order : shareOf(order, exchange),
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
      ...(checked.loss === undefined ? {} : { loss: 'custom' }),
      configuration,
      ...(exchange?.identity === undefined ? {} : { exchange: exchange.identity }),
    },
  };
}

function refuseEvaluation(data: TrainingData): void {
  for (const part of ['validation', 'test'] as const) {
    if (data[part] === undefined) continue;
    throw new LmdError(
      'INVALID_ARGUMENT',
      `train has a custom loss and data.${part}, which is evaluated with logits.`,
      {
        subject: `data.${part}`,
        value: data[part],
        remedy: `Leave out data.${part}, and evaluate in a plugin.`,
      },
    );
  }
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
