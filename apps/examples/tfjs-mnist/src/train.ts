import { type LayerPrecision, LMDOptimizer } from '@lmd/tfjs';
import { dataOrder } from '@lmd/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { batchOf, type Data } from './data.js';
import { convolutionalNetwork } from './model.js';

export type OptimizerName = 'adam' | 'lmd';

export interface TrainOptions {
  readonly optimizer: OptimizerName;
  readonly precision: LayerPrecision & string;
  readonly data: Data;
  readonly steps: number;
  readonly batchSize: number;
  /** Seed of the initial weights, the order of examples, and LMD's draws. */
  readonly seed: number;
  readonly onStep?: (step: number, loss: number) => void;
}

export interface Result {
  readonly optimizer: OptimizerName;
  readonly precision: string;
  /** Loss of each batch before its update; with LMD, at a posterior sample. */
  readonly losses: readonly number[];
  /** With the evaluation weights. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Wall-clock time of the training steps. */
  readonly seconds: number;
  /** CPU time of the training steps, independent of other load on the machine. */
  readonly processorSeconds: number;
}

/** Peak learning rates. Both optimizers use a cosine schedule to 0. */
export const learningRates: Readonly<Record<OptimizerName, number>> = { adam: 2e-3, lmd: 2e-2 };

/** Trains the network once, and evaluates it on the whole test set. */
export async function trainOnce(options: TrainOptions): Promise<Result> {
  const { optimizer, precision, data, steps, batchSize, seed, onStep } = options;
  const model = convolutionalNetwork(precision, seed);
  const schedule = (step: number) => learningRates[optimizer] * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
  const adam = tf.train.adam(schedule(0));
  model.compile({
    optimizer:
      optimizer === 'adam'
        ? adam
        : new LMDOptimizer({
            learningRate: schedule,
            regularization: 0.5,
            noise: 0.05,
            priorMedianFloor: 0.5,
            seed,
            adamw: { learningRate: (step) => schedule(step) * (learningRates.adam / learningRates.lmd) },
          }),
    loss: 'categoricalCrossentropy',
  });
  const order = dataOrder({ size: data.train.size, batchSize, seed });
  const losses: number[] = [];
  const start = performance.now();
  const processorStart = process.cpuUsage();
  for (let step = 0; step < steps; step++) {
    // TensorFlow.js's optimizers have no schedules: the field is set before each step.
    (adam as unknown as { learningRate: number }).learningRate = schedule(step);
    const { images, targets } = await batchOf(data.train, order.batchAt(step).indices);
    const loss = (await model.trainOnBatch(images, targets)) as number;
    tf.dispose([images, targets]);
    losses.push(loss);
    onStep?.(step, loss);
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(processorStart);
  const evaluation = await evaluate(model, data);
  model.optimizer.dispose();
  model.dispose();
  if (optimizer === 'lmd') adam.dispose();
  return { optimizer, precision, losses, ...evaluation, seconds, processorSeconds: (user + system) / 1e6 };
}

async function evaluate(model: Sequential, { test }: Data): Promise<Pick<Result, 'testLoss' | 'testAccuracy'>> {
  const batchSize = 500;
  let loss = 0;
  let correct = 0;
  for (let from = 0; from < test.size; from += batchSize) {
    const count = Math.min(batchSize, test.size - from);
    const { images, targets } = await batchOf(
      test,
      Int32Array.from({ length: count }, (_, index) => from + index),
    );
    const sums = tf.tidy(() => {
      const predicted = model.predictOnBatch(images) as tf.Tensor;
      const right = tf.equal(tf.argMax(predicted, 1), tf.argMax(targets, 1));
      const likelihood = tf.sum(tf.mul(predicted, targets), 1);
      return [tf.neg(tf.sum(tf.log(tf.maximum(likelihood, 1e-7)))), tf.sum(tf.cast(right, 'float32'))];
    });
    const [batchLoss, batchCorrect] = await Promise.all(sums.map(async (sum) => (await sum.data())[0]!));
    tf.dispose([...sums, images, targets]);
    loss += batchLoss!;
    correct += batchCorrect!;
  }
  return { testLoss: loss / test.size, testAccuracy: correct / test.size };
}
