import {
  checkModel,
  checkOperations,
  type DrawKey,
  type EagerOperations,
  LmdError,
  type Model,
  type NamedTensors,
  type OptionsOf,
  type OptionTable,
  option,
  type Precision,
  resolveOptions,
} from '@lmd/core';
import { binColumns, type Calibration, calibrationFrom, calibrationSums } from './calibration.js';
import { checkClasses, checkDataset, checkedBatch, checkTokens } from './data/check-batch.js';
import type { Dataset } from './data/dataset.js';
import { meanOfCounted, rowLosses } from './loss.js';
import { thisTraining } from './made-by.js';

/** The options of `evaluate`, declared once. */
export const evaluateOptionTable = {
  /** Operations that run the computation. An object; required. */
  ops: option.object<EagerOperations>({ required: true, describe: 'Operations that run the computation.' }),
  /** The model. An object; required. */
  model: option.object<Model>({ required: true, describe: 'The model.' }),
  /** Weights of the model. An object; required. */
  weights: option.object<NamedTensors>({ required: true, describe: 'Weights of the model.' }),
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
  /**
   * Number of bins of the calibration (15 is usual), which costs a softmax over all logits. Default: no calibration. A
   * whole number, at least 1.
   */
  calibrationBins: option.integer({
    atLeast: 1,
    describe:
      'Number of bins of the calibration (15 is usual), which costs a softmax over all logits. Default: no ' +
      'calibration.',
  }),
  /** Aborting it ends the evaluation after the current batch, without a result. An object. */
  signal: option.object<AbortSignal>({
    describe: 'Aborting it ends the evaluation after the current batch, without a result.',
  }),
} as const satisfies OptionTable;

export interface EvaluateOptions extends OptionsOf<typeof evaluateOptionTable> {}

export interface EvaluationResult {
  /** Mean cross-entropy over all rows whose label is not negative, in nats. NaN if a logit is NaN. */
  readonly loss: number;
  /** Fraction of these rows whose largest logit is that of the label. A row with a NaN logit is incorrect. */
  readonly accuracy: number;
  /** exp of the loss, for a language model over its tokens; the largest finite number if it overflows. */
  readonly perplexity: number;
  readonly examples: number;
  /** Present if `calibrationBins` is set. */
  readonly calibration?: Calibration;
}

/** Maximum number of batches with unread results: keeps a device busy and bounds its queue. */
const inFlight = 4;

/**
 * Evaluates the model on the whole data set, in its order, without gradients or dropout.
 *
 * @throws LmdError `DATA_CORRUPT` naming the example, for a label or token out of range of the model;
 *   `INTERRUPTED` where `signal` ended it; `INVALID_ARGUMENT` for what is no operations or no model; and what the data
 *   set and the model throw.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  const checked = resolveOptions('evaluate', evaluateOptionTable, options);
  checkOperations(options.ops, { receiver: thisTraining });
  checkModel(options.model, { receiver: thisTraining });
  const { ops, model, weights, dataset, precision, batchSize, signal } = checked;
  const { key = { seed: 0, step: 0, sample: 0 }, calibrationBins: bins = 0 } = checked;
  checkDataset('evaluate', 'dataset', dataset);
  const sums = new Float64Array(bins * binColumns);
  let loss = 0;
  let correct = 0;
  let rows = 0;
  const pending: { readonly rows: number; readonly result: Promise<ArrayLike<number>> }[] = [];
  const settleOldest = async () => {
    const oldest = pending.shift()!;
    const result = await oldest.result;
    const [batchLoss, batchCorrect] = result as unknown as [number, number];
    for (let index = 0; index < sums.length; index++) sums[index]! += result[2 + index]!;
    loss += batchLoss * oldest.rows;
    correct += batchCorrect;
    rows += oldest.rows;
  };
  try {
    for (let from = 0; from < dataset.size; from += batchSize) {
      if (signal?.aborted) throw interrupted(from, dataset.size);
      const count = Math.min(batchSize, dataset.size - from);
      const indices = Int32Array.from({ length: count }, (_, index) => from + index);
      const batch = checkedBatch(dataset, indices, await dataset.batch(indices));
      checkTokens(batch, model.vocabularySize);
      const { inputs, labels, counted } = batch;
      const leavesOut = counted < labels.data.length;
      const result = ops.scope(() => {
        const labelTensor = ops.fromData(labels.data, labels.shape, 'i32');
        const logits = model.forward(ops, weights, ops.fromData(inputs.data, inputs.shape, inputs.dtype), {
          training: false,
          precision,
          key,
        });
        checkClasses(batch, logits.shape.at(-1)!, 'the model has');
        const losses = rowLosses(ops, logits, labelTensor, undefined, leavesOut);
        // `argMax` returns the first NaN, often class 0, which could be correct. The loss of such rows is NaN too.
        const matches = ops.reshape(ops.equal(ops.argMax(logits, -1), labelTensor), [-1]);
        const right = ops.where(ops.equal(losses, losses), ops.cast(matches, 'f32'), 0);
        const parts = [ops.reshape(meanOfCounted(ops, losses, counted), [1]), ops.reshape(ops.sum(right), [1])];
        if (bins > 0) {
          const counts = leavesOut ? ops.greater(ops.reshape(labelTensor, [-1]), -1) : undefined;
          parts.push(ops.reshape(calibrationSums(ops, logits, right, bins, counts), [-1]));
        }
        return ops.concatenate(parts, 0);
      });
      pending.push({ rows: counted, result: readAndDispose(ops, result) });
      if (pending.length >= inFlight) await settleOldest();
    }
    while (pending.length > 0) await settleOldest();
  } finally {
    // After an error, reads all results and frees all tensors.
    await Promise.allSettled(pending.map(({ result }) => result));
  }
  if (rows === 0) throw nothingCounts(dataset);
  const mean = loss / rows;
  return {
    loss: mean,
    accuracy: correct / rows,
    perplexity: mean > 709 ? Number.MAX_VALUE : Math.exp(mean),
    examples: dataset.size,
    ...(bins === 0 ? {} : { calibration: calibrationFrom(sums, bins) }),
  };
}

function nothingCounts({ name }: Dataset): LmdError {
  return new LmdError('DATA_CORRUPT', `Data set "${name}": all labels are negative and therefore ignored.`, {
    subject: 'labels',
    remedy: 'Check the labels. Valid labels are integers of at least 0.',
  });
}

function interrupted(done: number, size: number): LmdError {
  return new LmdError('INTERRUPTED', `The evaluation was interrupted after ${done} of ${size} examples.`, {
    subject: 'signal',
    value: done,
  });
}

async function readAndDispose(ops: EagerOperations, x: Parameters<EagerOperations['read']>[0]) {
  try {
    return await ops.read(x);
  } finally {
    ops.dispose(x);
  }
}
