import { existsSync } from 'node:fs';
import { LmdError } from '@lmd/core';
import { mnistPackageFolder, readMnistFolder } from '@lmd/data/node';
import { arrayDataset, type Dataset } from '@lmd/training';
import { longProcess, type Process, paperProcess } from '../process.js';
import type { ScoreNetworkOptions } from '../score-network.js';
import { drawMixture, threeModes } from './mixture.js';
import type { DaleLangevinOptions } from './options.js';

export interface Task {
  /** Pictures x₀ = 1 + pixel in [1, 2], or other positive values. */
  readonly train: Dataset;
  /** Pictures with labels for a classifier; the mixture has none. */
  readonly test?: Dataset;
  readonly network: Omit<ScoreNetworkOptions, 'process' | 'logMean' | 'logDeviation'>;
  readonly steps: number;
  /** Number of samples. */
  readonly pictures: number;
  readonly process: Process;
  /** The paper's step sizes by sampler, relative to those of exact time reversal; its noise decays with them. */
  readonly tuned?: { readonly dale: number; readonly unconstrained: number };
}

const transformer = { patchSize: 4, width: 128, depth: 4, heads: 4 };

/** The data, with a network and a sampler for them. */
export async function openTask({ data, folder, seed, process }: DaleLangevinOptions): Promise<Task> {
  if (data === 'mixture') {
    const count = 20_000;
    const inputs = drawMixture(threeModes, count, seed);
    const labels = new Int32Array(count);
    const train = arrayDataset({ name: 'mixture', inputs, inputShape: [2, 2, 1], labels, classes: 1 });
    const network = { imageSize: 2, patchSize: 1, width: 32, depth: 2, heads: 2 };
    return { train, network, steps: 1000, pictures: 500, process: process === 'paper' ? paperProcess : longProcess };
  }
  const digits = data === 'digits';
  const place = folder ?? (digits ? mnistPackageFolder('--folder') : clothesFolder());
  // A mean of −1 makes 1 + pixel of each pixel, which is positive.
  const { train, test } = await readMnistFolder({ folder: place, name: data, mean: -1, standardDeviation: 1 });
  return {
    train,
    test,
    network: { ...transformer, imageSize: squareSize(train) },
    steps: digits ? 5000 : 12_000,
    pictures: 100,
    ...(process === 'paper'
      ? { process: paperProcess, tuned: { dale: digits ? 0.617 : 0.586, unconstrained: 0.576 } }
      : { process: longProcess }),
  };
}

function clothesFolder(): string {
  const folder = '/usr/share/datasets/fashion-mnist';
  if (existsSync(folder)) return folder;
  throw new LmdError('ENGINE_MISSING', `Fashion-MNIST is not installed: there is no folder ${folder}.`, {
    subject: 'folder',
    value: folder,
    remedy: 'On Debian, apt install dataset-fashion-mnist; elsewhere, use --folder with the four IDX files.',
  });
}

function squareSize({ name, inputShape }: Dataset): number {
  const [height, width] = inputShape;
  if (height !== undefined && height === width && height % transformer.patchSize === 0) return height;
  throw new LmdError('SHAPE_MISMATCH', `The pictures of ${name} have the shape [${inputShape}].`, {
    subject: 'folder',
    value: inputShape,
    remedy: `Use square pictures whose size is a multiple of ${transformer.patchSize}.`,
  });
}

/** Mean and standard deviation of log x₀ over all values of the first 10,000 pictures. */
export async function logMoments(data: Dataset): Promise<{ readonly logMean: number; readonly logDeviation: number }> {
  let [count, sum, squares] = [0, 0, 0];
  const size = Math.min(data.size, 10_000);
  for (let from = 0; from < size; from += 1000) {
    const length = Math.min(1000, size - from);
    const { inputs } = await data.batch(Int32Array.from({ length }, (_, index) => from + index));
    for (const value of inputs.data) {
      const log = Math.log(value);
      sum += log;
      squares += log * log;
    }
    count += inputs.data.length;
  }
  const logMean = sum / count;
  return { logMean, logDeviation: Math.sqrt(squares / count - logMean ** 2) };
}
