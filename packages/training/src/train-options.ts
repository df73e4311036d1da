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
  /** Where to compute: one of `backend` and `ops`. */
  readonly backend?: Backend | undefined;
  /** Operations that the caller has made of a backend already, and goes on to use. */
  readonly ops?: EagerOperations | undefined;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly data: TrainingData;
  /** Of the initial weights, the data order and all noise: an integer in [0, 2^53). */
  readonly seed: number;
  /** How long to train: one of `steps` and `epochs`. The total, also for a resumed run. */
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly batchSize: number;
  /**
   * Examples that go through the model at once. Less memory, and the same gradients to rounding. Default `batchSize`.
   */
  readonly microBatchSize?: number;
  /**
   * Frees the old state weight by weight while the update makes the new one, so that never two states are alive: for
   * models whose state fills most of the memory. It changes no result and costs a second readback a step. A step whose
   * gradients are not finite still leaves the state before it; one whose new state is not finite does not, and the run
   * goes back to its newest checkpoint. Default false.
   */
  readonly updateInPlace?: boolean;
  /** Keeps an epoch's last batch when it is short. Default false. */
  readonly keepPartialBatch?: boolean;
  /**
   * Batches that the data set is asked for before they are needed, so that they are read and decoded while a step is
   * computed. It changes no result. Default 1; 0 asks for each when its step begins.
   */
  readonly prefetch?: number;
  /**
   * Steps between evaluations on the validation data, or a function that says after which steps, counted from 1, to
   * make one: a pure one, so that a resumed run evaluates as it would have. One is always made after the last step,
   * which is the default.
   */
  readonly evaluateEvery?: number | ((step: number) => boolean);
  /** Default `batchSize`. */
  readonly evaluationBatchSize?: number;
  /** Which weights are evaluated and returned. Default: the optimizer's own choice. */
  readonly evaluationWeights?: WeightsKind;
  readonly plugins?: readonly Plugin[];
  /**
   * Goes on from a checkpoint, as if the run had never been interrupted. Given as a function, it is called once, and
   * what it gives is let go when the run has begun: a checkpoint on the host is as large as the state.
   */
  readonly resume?: LoadedCheckpoint | (() => Promise<LoadedCheckpoint | undefined>) | undefined;
  /** Whatever else must be equal in a resumed run, such as the optimizer's options. Kept in checkpoints. */
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

/** Options that are checked, and what follows from them. */
export interface TrainPlan extends TrainOptions {
  readonly ops: EagerOperations;
  readonly microBatchSize: number;
  readonly evaluationBatchSize: number;
  readonly updateInPlace: boolean;
  readonly prefetch: number;
  readonly plugins: readonly Plugin[];
  readonly order: DataOrder;
  readonly totalSteps: number;
  /** What a checkpoint must agree with. */
  readonly identity: { readonly [key: string]: Json };
}

/** Checks everything that can be checked before any work is done. */
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

/** A format by its name, which stands for it, and how values are rounded to it. */
function namesOf(operands: { readonly [operand: string]: OperandPrecision }): Json {
  return Object.fromEntries(
    Object.entries(operands).map(([operand, precision]) => {
      if (typeof precision === 'string') return [operand, precision];
      const { format, rounding = 'nearestEven', scaleMode = 'floor' } = precision;
      return [operand, { format: format.name, rounding, scaleMode }];
    }),
  );
}

/** True where the first is given, false where the second is; throws where both or neither are. */
function exactlyOne(options: TrainOptions, first: keyof TrainOptions, second: keyof TrainOptions): boolean {
  const isFirst = options[first] !== undefined;
  if (isFirst === (options[second] !== undefined)) {
    throw new LmdError('INVALID_ARGUMENT', `train has ${isFirst ? 'both' : 'neither of'} ${first} and ${second}.`, {
      subject: first,
      value: options[first],
      remedy: `Give exactly one of ${first} and ${second}.`,
    });
  }
  return isFirst;
}
