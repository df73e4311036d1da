import { checkModel, checkOperations, type EagerOperations, LmdError, resolveOptions, type Tensor } from '@lmd/core';
import { type CheckedBatch, checkClasses, checkDataset, checkedBatch, checkTokens } from '../data/check-batch.js';
import type { Dataset } from '../data/dataset.js';
import { rowLosses } from '../loss.js';
import { thisTraining } from '../made-by.js';
import { type UncertaintyOptions, uncertaintyOptionTable } from './options.js';
import { lossOfMean, type PredictionScores, rowTotals } from './row-totals.js';
import { inverseTemperatures, slopeColumns, slopesOf, temperatureFrom } from './temperature.js';

export interface UncertaintyResult {
  /**
   * Scores of the mean probabilities of the first 1, 2, 4, … samples, and of all of them last. Empty with
   * `ignoreLabels`.
   */
  readonly averages: readonly PredictionScores[];
  /** With `fitTemperature`. */
  readonly fittedTemperature?: number;
  /** With `temperature`: the loss of the mean probabilities p of all samples as softmax(log p / T), in nats. */
  readonly scaledLoss?: number;
  /** Of each row, the largest mean probability of all samples. */
  readonly confidence: Float32Array;
  /** Of each row, the entropy of the mean probabilities of all samples, in nats. */
  readonly entropy: Float32Array;
}

/** 1, 2, 4, …, and the number of samples itself. */
export function averagedCounts(samples: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(samples)) }, (_, power) => 2 ** power);
  return [...powers.filter((power) => power < samples), samples];
}

type Checked = ReturnType<typeof checkedOptions>;

function checkedOptions(options: UncertaintyOptions) {
  const checked = resolveOptions('evaluateUncertainty', uncertaintyOptionTable, options);
  checkOperations(checked.ops, { receiver: thisTraining });
  checkModel(checked.model, { receiver: thisTraining });
  checkDataset('evaluateUncertainty', 'dataset', checked.dataset);
  return { ...checked, key: checked.key ?? { seed: 0, step: 0, sample: 0 } };
}

/**
 * Evaluates the posterior predictive distribution: the mean of the probabilities (not of the losses) of some samples of
 * the weights, over a whole data set. A row is an example, or a token of a language model; rows with negative labels
 * are left out. Memory is bounded: beside the probabilities of one batch, two numbers are stored for each row.
 *
 * @throws LmdError as `evaluate`.
 */
export async function evaluateUncertainty(options: UncertaintyOptions): Promise<UncertaintyResult> {
  const checked = checkedOptions(options);
  const { dataset, batchSize, samples, calibrationBins, ignoreLabels, signal } = checked;
  const counts = averagedCounts(samples);
  const totals = counts.map((count) => rowTotals(count, calibrationBins));
  const slopes = new Float64Array(slopeColumns * inverseTemperatures.length);
  const confidence: number[] = [];
  const entropy: number[] = [];
  let scaled = 0;
  for (let from = 0; from < dataset.size; from += batchSize) {
    if (signal?.aborted) {
      throw new LmdError('INTERRUPTED', `The evaluation was interrupted after ${from} of ${dataset.size} examples.`, {
        subject: 'signal',
        value: from,
      });
    }
    const size = Math.min(batchSize, dataset.size - from);
    const indices = Int32Array.from({ length: size }, (_, index) => from + index);
    const batch = checkedBatch(ignoreLabels ? withoutClasses(dataset) : dataset, indices, await dataset.batch(indices));
    const values = await predictBatch(batch, counts, checked);
    const rows = batch.labels.data.length;
    /** The values of one column, in the order in which `predictBatch` makes them. */
    let at = 0;
    const next = (length = rows) => {
      at += length;
      return values.subarray(at - length, at);
    };
    const losses = ignoreLabels ? [] : Array.from({ length: samples }, () => next());
    const columns = counts.map(() => ({ confidence: next(), isRight: next(), squares: next() }));
    const entropies = next();
    const scaledLosses = checked.temperature === undefined ? undefined : next();
    if (checked.fitTemperature) {
      for (const [index, value] of next(slopes.length).entries()) slopes[index]! += value;
    }
    for (let row = 0; row < rows; row++) {
      if (!ignoreLabels && batch.labels.data[row]! < 0) continue;
      confidence.push(columns.at(-1)!.confidence[row]!);
      entropy.push(entropies[row]!);
      scaled += scaledLosses?.[row] ?? 0;
      if (ignoreLabels) continue;
      counts.forEach((count, index) => {
        const { confidence, isRight, squares } = columns[index]!;
        totals[index]!.add({
          loss: lossOfMean(losses.slice(0, count), row),
          isRight: isRight[row] === 1,
          confidence: confidence[row]!,
          squares: squares[row]!,
        });
      });
    }
    checked.onProgress?.(from + size);
  }
  if (confidence.length === 0) {
    throw new LmdError('DATA_CORRUPT', `Data set "${dataset.name}": all labels are negative and therefore ignored.`, {
      subject: 'labels',
      remedy: 'Check the labels. Valid labels are integers of at least 0.',
    });
  }
  return {
    averages: ignoreLabels ? [] : totals.map((total) => total.scores()),
    ...(checked.fitTemperature ? { fittedTemperature: temperatureFrom(slopes) } : {}),
    ...(checked.temperature === undefined ? {} : { scaledLoss: scaled / confidence.length }),
    confidence: Float32Array.from(confidence),
    entropy: Float32Array.from(entropy),
  };
}

/** Labels of data with other classes mean nothing, and may be any. */
function withoutClasses({ classes: _, ...dataset }: Dataset): Dataset {
  return dataset;
}

/**
 * The numbers of each row of a batch, in one readback: the loss of each sample; for each count of samples the largest
 * mean probability, whether it is the label's, and the sum of squares; the entropy; the loss at the temperature; the
 * slopes of the loss by the temperature.
 */
async function predictBatch(batch: CheckedBatch, counts: readonly number[], options: Checked): Promise<Float32Array> {
  const { ops, model, samples, fitTemperature, temperature } = options;
  checkTokens(batch, model.vocabularySize);
  const result = ops.scope(() => {
    const labels = ops.reshape(ops.fromData(batch.labels.data, batch.labels.shape, 'i32'), [-1]);
    const inputs = ops.fromData(batch.inputs.data, batch.inputs.shape, batch.inputs.dtype);
    const losses: Tensor[] = [];
    const columns: Tensor[] = [];
    let [total, logits]: Tensor[] = [];
    for (let sample = 0; sample < samples; sample++) {
      // Of each sample, only the losses and the sum of the probabilities stay in memory.
      const before = [total, logits].filter((tensor) => tensor !== undefined);
      const isCounted = counts.includes(sample + 1);
      const made = ops.scope(() => {
        const own = predictSample(batch, inputs, labels, sample, options);
        const sum = total === undefined ? own.probabilities : ops.add(total, own.probabilities);
        const ranked = sample === 0 ? own.logits : sum;
        const scores = isCounted ? scoresOf(ops, ops.multiply(sum, 1 / (sample + 1)), ranked, labels) : [];
        return [sum, own.logits, scores, own.loss === undefined ? [] : [own.loss]] as const;
      });
      ops.dispose(before);
      [total, logits] = [made[0], made[1]];
      columns.push(...made[2]);
      losses.push(...made[3]);
    }
    const p = ops.multiply(total!, 1 / samples);
    // 1e-37 has a finite logarithm on every backend, and p·log p of a smaller p is nothing.
    const logarithms = ops.log(ops.maximum(p, 1e-37));
    const entropy = ops.negate(ops.sum(ops.multiply(p, logarithms), { axes: 1 }));
    // Of one sample, the logits are the log-probabilities but for a constant, without underflow.
    const z = samples === 1 ? logits! : logarithms;
    const parts = [...losses, ...columns, entropy];
    if (temperature !== undefined) {
      parts.push(rowLosses(ops, ops.multiply(z, 1 / temperature), labels, undefined, true));
    }
    if (fitTemperature) {
      const classes = Int32Array.from({ length: z.shape[1]! }, (_, index) => index);
      const isLabel = ops.equal(ops.reshape(labels, [-1, 1]), ops.fromData(classes, [1, classes.length]));
      parts.push(slopesOf(ops, z, isLabel));
    }
    return ops.concatenate(parts, 0);
  });
  try {
    return (await ops.read(result)) as Float32Array;
  } finally {
    ops.dispose(result);
  }
}

/** The forward pass of one sample of the weights. */
function predictSample(
  batch: CheckedBatch,
  inputs: Tensor,
  labels: Tensor,
  sample: number,
  { ops, model, precision, key, ignoreLabels, weights: weightsOf }: Checked,
): { readonly logits: Tensor; readonly probabilities: Tensor; readonly loss?: Tensor } {
  const weights = weightsOf(sample);
  const context = { training: false, precision, key: { ...key, sample: key.sample + sample } };
  const output = model.forward(ops, weights, inputs, context);
  ops.dispose(weights);
  const logits = ops.reshape(output, [-1, output.shape.at(-1)!]);
  const probabilities = ops.softmax(logits);
  if (ignoreLabels) return { logits, probabilities };
  checkClasses(batch, logits.shape[1]!, 'the model has');
  return { logits, probabilities, loss: rowLosses(ops, logits, labels, undefined, true) };
}

/** The largest probability of each row, whether it is the label's, and the sum of the squares. */
function scoresOf(ops: EagerOperations, mean: Tensor, ranked: Tensor, labels: Tensor): Tensor[] {
  const confidence = ops.max(mean, { axes: 1 });
  const isLabel = ops.cast(ops.equal(ops.argMax(ranked, 1), labels), 'f32');
  // Of a row with NaN, `argMax` gives the first one, which could be the label.
  const isRight = ops.where(ops.equal(confidence, confidence), isLabel, 0);
  return [confidence, isRight, ops.sum(ops.multiply(mean, mean), { axes: 1 })];
}
