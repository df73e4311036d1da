import type { DrawKey, EagerOperations, Model, NamedTensors, Precision } from '@lmd/core';
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
}

export interface EvaluationResult {
  /** Mean cross-entropy over all rows, in nats. NaN where the model gives one. */
  readonly loss: number;
  /** Part of the rows whose largest logit is the label's. */
  readonly accuracy: number;
  readonly examples: number;
}

/** Batches whose results may wait to be read: enough to keep a device busy, few enough to bound its queue. */
const inFlight = 4;

/** Runs the model over the whole data set, in its own order, without gradients or dropout. */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  refuseUnknownOptions('evaluate', options, ['ops', 'model', 'weights', 'dataset', 'precision', 'batchSize', 'key']);
  const { ops, model, weights, dataset, precision, key = { seed: 0, step: 0, sample: 0 } } = options;
  const batchSize = checkedCount('evaluate', 'batchSize', options.batchSize, 1);
  checkedCount('evaluate', 'dataset.size', dataset.size, 1);
  let loss = 0;
  let correct = 0;
  let rows = 0;
  const pending: { readonly rows: number; readonly result: Promise<ArrayLike<number>> }[] = [];
  const settleOldest = async () => {
    const oldest = pending.shift()!;
    const [batchLoss, batchCorrect] = (await oldest.result) as unknown as [number, number];
    loss += batchLoss * oldest.rows;
    correct += batchCorrect;
    rows += oldest.rows;
  };
  try {
    for (let from = 0; from < dataset.size; from += batchSize) {
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
        return ops.concatenate(
          [ops.reshape(lossOf(ops, logits, labelTensor), [1]), ops.reshape(ops.sum(right), [1])],
          0,
        );
      });
      pending.push({ rows: labels.data.length, result: readAndDispose(ops, result) });
      if (pending.length >= inFlight) await settleOldest();
    }
    while (pending.length > 0) await settleOldest();
  } finally {
    // After an error, so that no result is left unread and no tensor unfreed.
    await Promise.allSettled(pending.map(({ result }) => result));
  }
  return { loss: loss / rows, accuracy: correct / rows, examples: dataset.size };
}

async function readAndDispose(ops: EagerOperations, x: Parameters<EagerOperations['read']>[0]) {
  try {
    return await ops.read(x);
  } finally {
    ops.dispose(x);
  }
}
