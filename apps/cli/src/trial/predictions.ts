import type { EagerOperations } from '@lmd/core';
import type { Dataset, TrainResult } from '@lmd/training';
import { trainingPrecision } from '../configuration/schema.js';
import { geometryOf } from '../data/index.js';
import type { RunData } from '../data/run-data.js';
import { pictureOf } from '../report/picture.js';
import type { PredictedExample, Predictions } from '../report/predictions-schema.js';
import { evaluationBatchSize } from './batch-sizes.js';
import type { TrialRequest } from './request.js';
import type { TrainedModel } from './trained-model.js';

/** Number of examples that are predicted for the report, and of pictures in each row of it. */
const mostExamples = 2000;
const pictures = 12;

interface Prediction {
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability of the predicted class. */
  readonly probability: number;
  /** Cross-entropy of the label, in nats. */
  readonly loss: number;
}

/** The predictions of a trained classifier for its report; undefined for a language model. */
export async function predictionsOf(
  ops: EagerOperations,
  { configuration, index }: TrialRequest,
  trainedModel: TrainedModel,
  data: RunData,
  trained: TrainResult,
): Promise<Predictions | undefined> {
  const geometry = geometryOf(configuration.data);
  if (geometry.kind !== 'images') return undefined;
  const optimizer = configuration.optimizers[index]!;
  const split = configuration.evaluation.test ? 'test' : 'validation';
  const dataset = data[split];
  const all = await predictAll(ops, dataset, {
    batchSize: evaluationBatchSize(configuration, trainedModel.architecture, ops.backend, dataset.size),
    forward: (inputs) =>
      trainedModel.model.forward(ops, trained.weights, inputs, {
        training: false,
        precision: trainingPrecision(configuration, optimizer),
        key: { seed: configuration.seed, step: trained.step, sample: 0 },
      }),
  });
  const mistakes = all.filter(({ label, predicted }) => label !== predicted).sort((a, b) => b.loss - a.loss);
  return {
    optimizer: optimizer.name,
    split,
    examples: all.length,
    of: dataset.size,
    classes: geometry.classes,
    ...(geometry.classNames === undefined ? {} : { classNames: [...geometry.classNames] }),
    confusion: confusionOf(all),
    samples: await withPictures(
      dataset,
      spread(all.length, pictures).map((at) => all[at]!),
    ),
    worst: await withPictures(dataset, mistakes.slice(0, pictures)),
  };
}

interface Forward {
  readonly batchSize: number;
  forward(inputs: ReturnType<EagerOperations['fromData']>): ReturnType<EagerOperations['fromData']>;
}

/** Predicts examples that are evenly spaced: a folder of images lists one class after the other. */
async function predictAll(
  ops: EagerOperations,
  dataset: Dataset,
  { batchSize, forward }: Forward,
): Promise<Prediction[]> {
  const indices = spread(dataset.size, mostExamples);
  const found: Prediction[] = [];
  for (let from = 0; from < indices.length; from += batchSize) {
    const part = Int32Array.from(indices.slice(from, from + batchSize));
    const { inputs, labels } = await dataset.batch(part);
    const logits = ops.scope(() => forward(ops.fromData(inputs.data as Float32Array, inputs.shape, inputs.dtype)));
    const values = (await ops.read(logits)) as Float32Array;
    ops.dispose(logits);
    const classes = values.length / part.length;
    part.forEach((index, row) => {
      found.push(predictionOf(index, Number(labels.data[row]), values.subarray(row * classes, (row + 1) * classes)));
    });
  }
  return found;
}

function predictionOf(index: number, label: number, logits: Float32Array): Prediction {
  const predicted = logits.reduce((best, value, at) => (value > logits[best]! ? at : best), 0);
  const largest = logits[predicted]!;
  const normalizer = Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return {
    index,
    label,
    predicted,
    probability: Math.exp(-normalizer),
    loss: normalizer + largest - logits[label]!,
  };
}

/** How often each label was predicted as each class; pairs that do not occur are left out. */
function confusionOf(all: readonly Prediction[]): Predictions['confusion'] {
  const counts = new Map<string, { label: number; predicted: number; count: number }>();
  for (const { label, predicted } of all) {
    const key = `${label} ${predicted}`;
    const cell = counts.get(key) ?? { label, predicted, count: 0 };
    counts.set(key, { ...cell, count: cell.count + 1 });
  }
  return [...counts.values()].sort((a, b) => a.label - b.label || a.predicted - b.predicted);
}

async function withPictures(dataset: Dataset, chosen: readonly Prediction[]): Promise<PredictedExample[]> {
  const examples: PredictedExample[] = [];
  for (const { index, label, predicted, probability } of chosen) {
    const { inputs } = await dataset.batch(Int32Array.of(index));
    const [, height, width, channels] = inputs.shape as readonly [number, number, number, number];
    const picture = pictureOf(inputs.data as ArrayLike<number>, width, height, channels);
    examples.push({ index, label, predicted, probability, picture });
  }
  return examples;
}

/** At most `most` whole numbers below `size`, evenly spaced. */
function spread(size: number, most: number): number[] {
  const count = Math.min(size, most);
  return Array.from({ length: count }, (_, at) => Math.floor((at * size) / count));
}
