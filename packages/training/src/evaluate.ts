import { type DrawKey, type EagerOperations, LmdError, type Model, type NamedTensors, type Precision } from '@lmd/core';
import { binColumns, type Calibration, calibrationFrom, calibrationSums } from './calibration.js';
import { checkBatch, type Dataset } from './data/dataset.js';
import { lossOf } from './loss.js';
import { checkedCount, refuseUnknownOptions } from './options.js';

export interface EvaluateOptions {
  readonly ops: EagerOperations;
  readonly model: Model;
  readonly weights: NamedTensors;
  readonly dataset: Dataset;
  readonly precision: Precision;
  readonly batchSize: number;
  /** Names the noise of the pass, where the precision rounds stochastically. Default seed 0. */
  readonly key?: DrawKey;
  /** Asks for the calibration too, in so many bins: 15 is usual. It costs a softmax over all logits. Default: none. */
  readonly calibrationBins?: number;
  /** Aborting it ends the evaluation after the batch, without a result. */
  readonly signal?: AbortSignal | undefined;
}

export interface EvaluationResult {
  /** Mean cross-entropy over all rows, in nats. NaN where the model gives one. */
  readonly loss: number;
  /** Part of the rows whose largest logit is the label's. */
  readonly accuracy: number;
  /** exp of the loss: of a language model, over its tokens. The largest number where that overflows. */
  readonly perplexity: number;
  readonly examples: number;
  /** Where `calibrationBins` asked for it. */
  readonly calibration?: Calibration;
}

const known = ['ops', 'model', 'weights', 'dataset', 'precision', 'batchSize', 'key', 'calibrationBins', 'signal'];

/** Batches whose results may wait to be read: enough to keep a device busy, few enough to bound its queue. */
const inFlight = 4;

/**
 * Runs the model over the whole data set, in its own order, without gradients or dropout.
 *
 * @throws LmdError `INTERRUPTED` where `signal` ended it, and what the data set and the model throw.
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  refuseUnknownOptions('evaluate', options, known);
  const { ops, model, weights, dataset, precision, key = { seed: 0, step: 0, sample: 0 } } = options;
  const batchSize = checkedCount('evaluate', 'batchSize', options.batchSize, 1);
  checkedCount('evaluate', 'dataset.size', dataset.size, 1);
  const bins =
    options.calibrationBins === undefined ? 0 : checkedCount('evaluate', 'calibrationBins', options.calibrationBins, 1);
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
      if (options.signal?.aborted) throw interrupted(from, dataset.size);
      const count = Math.min(batchSize, dataset.size - from);
      const indices = Int32Array.from({ length: count }, (_, index) => from + index);
      const batch = await dataset.batch(indices);
      checkBatch(dataset, indices, batch);
      const { inputs, labels } = batch;
      const result = ops.scope(() => {
        const labelTensor = ops.fromData(labels.data, labels.shape, 'i32');
        const logits = model.forward(ops, weights, ops.fromData(inputs.data, inputs.shape, inputs.dtype), {
          training: false,
          precision,
          key,
        });
        const right = ops.cast(ops.equal(ops.argMax(logits, -1), labelTensor), 'f32');
        const parts = [ops.reshape(lossOf(ops, logits, labelTensor), [1]), ops.reshape(ops.sum(right), [1])];
        if (bins > 0) parts.push(ops.reshape(calibrationSums(ops, logits, right, bins), [-1]));
        return ops.concatenate(parts, 0);
      });
      pending.push({ rows: labels.data.length, result: readAndDispose(ops, result) });
      if (pending.length >= inFlight) await settleOldest();
    }
    while (pending.length > 0) await settleOldest();
  } finally {
    // After an error, so that no result is left unread and no tensor unfreed.
    await Promise.allSettled(pending.map(({ result }) => result));
  }
  const mean = loss / rows;
  return {
    loss: mean,
    accuracy: correct / rows,
    perplexity: mean > 709 ? Number.MAX_VALUE : Math.exp(mean),
    examples: dataset.size,
    ...(bins === 0 ? {} : { calibration: calibrationFrom(sums, bins) }),
  };
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
