import {
  type Backend,
  checkBackend,
  checkModel,
  checkOperations,
  checkOptimizer,
  createOperations,
  type EagerOperations,
  LmdError,
  type Model,
  type OperandPrecision,
  type Optimizer,
  type Precision,
  type WeightsKind,
} from '@lmd/core';
import type { LoadedCheckpoint } from './checkpoints/checkpoint.js';
import { checkDataset } from './data/check-batch.js';
import type { Dataset } from './data/dataset.js';
import { type DataOrder, dataOrder } from './data/order.js';
import { checkPlugins } from './hooks.js';
import { assertJson, type Json } from './json.js';
import { checkedCount, checkedFlag, refuseUnknownOptions } from './options.js';
import type { Plugin, TrainingData } from './plugin.js';

export interface TrainOptions {
  /** The backend; exactly one of `backend` and `ops` is required. */
  readonly backend?: Backend | undefined;
  /** Existing operations on a backend, which the caller continues to use. */
  readonly ops?: EagerOperations | undefined;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly data: TrainingData;
  /** Random seed of the initial weights, the data order and all noise: an integer in [0, 2^53). */
  readonly seed: number;
  /** Length of the training: exactly one of `steps` and `epochs`. The total, also for a resumed run. */
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly batchSize: number;
  /**
   * Examples per forward pass. Saves memory; gradients are equal up to rounding. Default `batchSize`.
   */
  readonly microBatchSize?: number;
  /**
   * Frees the old state weight by weight while the update computes the new one, so that two states are never in memory:
   * for models whose state fills most of the memory. Does not change results, and costs a second readback per step. If
   * the gradients of a step are not finite, the previous state is preserved; if the new state is not finite, it is not,
   * and the run must be resumed from its newest checkpoint. Default false.
   */
  readonly updateInPlace?: boolean;
  /** Keeps the smaller last batch of an epoch. Default false. */
  readonly keepPartialBatch?: boolean;
  /**
   * Number of batches to request in advance, so that they are read and decoded while a step is computed. Does not
   * change results. Default 1; 0 requests each batch when its step begins.
   */
  readonly prefetch?: number;
  /**
   * Number of steps between validations, or a function that returns whether to validate after a step, counted from 1.
   * It must be pure, so that a resumed run evaluates at the same steps. The last step is always followed by a
   * validation, which is the default.
   */
  readonly evaluateEvery?: number | ((step: number) => boolean);
  /** Default `batchSize`. */
  readonly evaluationBatchSize?: number;
  /** Weights to evaluate and return. Default: that of the optimizer. */
  readonly evaluationWeights?: WeightsKind;
  readonly plugins?: readonly Plugin[];
  /**
   * Resumes from a checkpoint, bit-identically to an uninterrupted run. A function is called once, and its result is
   * released when the run has started, since a checkpoint on the host is as large as the state.
   */
  readonly resume?: LoadedCheckpoint | (() => Promise<LoadedCheckpoint | undefined>) | undefined;
  /**
   * Additional values that must be equal when the run is resumed, such as the optimizer's options. Stored in
   * checkpoints.
   */
  readonly configuration?: Json;
  /** Aborting it finishes the step, lets plugins save, and ends the run with status `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

const known = [
  'backend',
  'ops',
  'model',
  'optimizer',
  'precision',
  'data',
  'seed',
  'steps',
  'epochs',
  'batchSize',
  'microBatchSize',
  'updateInPlace',
  'keepPartialBatch',
  'prefetch',
  'evaluateEvery',
  'evaluationBatchSize',
  'evaluationWeights',
  'plugins',
  'resume',
  'configuration',
  'signal',
] satisfies (keyof TrainOptions)[];

/** Validated options, and values derived from them. */
export interface TrainPlan extends TrainOptions {
  readonly ops: EagerOperations;
  readonly microBatchSize: number;
  readonly evaluationBatchSize: number;
  readonly updateInPlace: boolean;
  readonly prefetch: number;
  readonly plugins: readonly Plugin[];
  readonly order: DataOrder;
  readonly totalSteps: number;
  /** The identity that a checkpoint must match. */
  readonly identity: { readonly [key: string]: Json };
}

/** Checks everything that can be checked before the run starts. */
export function planTraining(options: TrainOptions): TrainPlan {
  refuseUnknownOptions('train', options, known);
  refuseUnknownOptions('train: data', options.data ?? {}, ['train', 'validation', 'test']);
  for (const part of ['train', 'validation', 'test'] as const) {
    const dataset = options.data?.[part];
    if (part === 'train' || dataset !== undefined) checkDataset('train', `data.${part}`, dataset as Dataset);
  }
  const { model, optimizer, data, seed, keepPartialBatch = false, plugins = [] } = options;
  checkModel(model);
  checkOptimizer(optimizer);
  checkPlugins(plugins);
  if (options.ops !== undefined) checkOperations(options.ops);
  if (options.backend !== undefined) checkBackend(options.backend);
  checkedCount('train', 'seed', seed, 0);
  const batchSize = checkedCount('train', 'batchSize', options.batchSize, 1);
  const microBatchSize = checkedCount('train', 'microBatchSize', options.microBatchSize ?? batchSize, 1);
  const { evaluateEvery } = options;
  if (evaluateEvery !== undefined && typeof evaluateEvery !== 'function') {
    checkedCount('train', 'evaluateEvery', evaluateEvery, 1);
  }
  const order = dataOrder({ size: data.train.size, batchSize, seed, keepPartialBatch });
  const totalSteps = exactlyOne(options, 'steps', 'epochs')
    ? checkedCount('train', 'steps', options.steps!, 0)
    : checkedCount('train', 'epochs', options.epochs!, 0) * order.batchesPerEpoch;
  const configuration = options.configuration ?? null;
  assertJson(configuration, 'configuration');
  const ops = exactlyOne(options, 'ops', 'backend') ? options.ops! : createOperations(options.backend!);
  return {
    ...options,
    ops,
    microBatchSize,
    evaluationBatchSize: checkedCount('train', 'evaluationBatchSize', options.evaluationBatchSize ?? batchSize, 1),
    updateInPlace: checkedFlag('train', 'updateInPlace', options.updateInPlace ?? false),
    prefetch: checkedCount('train', 'prefetch', options.prefetch ?? 1, 0),
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
        forward: namesOf(options.precision.forward),
        backward: namesOf(options.precision.backward),
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
      const { format, rounding = 'nearestEven', scaleMode = 'floor' } = precision;
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
