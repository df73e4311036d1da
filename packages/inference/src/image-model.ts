import { type EagerOperations, type NamedTensors, type Precision, resolveOptions, type Tensor } from '@lmd/core';
import type { Vit } from '@lmd/models';
import {
  type Classification,
  type ClassifyOptions,
  classifyOptionTable,
  ProbabilityMeans,
  softmaxRows,
} from './classify.js';
import type { Posterior } from './posterior-source.js';

/** A network of images with its weights. */
export interface ImageModel {
  /** @param inputs one per image, as `readImage` gives them. */
  classify(inputs: Inputs, options: ClassifyOptions): Promise<Classification[]>;
  embed(inputs: Inputs): Promise<Float32Array[]>;
}

/** Inputs of the network, prepared when they are needed: those of a batch are in memory at a time. */
export interface Inputs {
  readonly size: number;
  batch(from: number, to: number): Promise<readonly Float32Array[]>;
}

export interface ImageModelParts {
  readonly ops: EagerOperations;
  readonly model: Vit;
  readonly weights: NamedTensors;
  readonly precision: Precision;
  readonly classNames: readonly string[];
  /** Seed of the run, the default of the posterior samples. */
  readonly seed: number;
  posterior(): Promise<Posterior>;
}

export function imageModel(parts: ImageModelParts): ImageModel {
  const { ops, model, weights, precision, classNames } = parts;
  const { imageSize, channels, classes, width } = model.config;
  const shape = [imageSize, imageSize, channels];

  /** Runs a part of the network on a batch; the result is read, and nothing of it stays on the device. */
  async function run(pass: Vit['forward'], own: NamedTensors, inputs: readonly Float32Array[]): Promise<Float32Array> {
    const output = ops.scope((): Tensor => {
      const data = new Float32Array(inputs.length * imageSize * imageSize * channels);
      for (const [row, input] of inputs.entries()) data.set(input, row * input.length);
      const images = ops.fromData(data, [inputs.length, ...shape]);
      return pass(ops, own, images, { training: false, precision, key: { seed: 0, step: 0, sample: 0 } });
    });
    try {
      return (await ops.read(output)) as Float32Array;
    } finally {
      ops.dispose(output);
    }
  }

  async function probabilities(inputs: readonly Float32Array[], own: NamedTensors): Promise<Float64Array> {
    return softmaxRows(await run(model.forward, own, inputs), classes);
  }

  /** Prepares the next batch while a batch is computed. */
  async function eachBatch(
    { size, batch }: Inputs,
    batchSize: number,
    body: (inputs: readonly Float32Array[]) => Promise<void>,
  ): Promise<void> {
    const prepare = (from: number) => {
      const inputs = from < size ? batch(from, Math.min(size, from + batchSize)) : undefined;
      // Its error is that of the turn that waits for it.
      inputs?.catch(() => {});
      return inputs;
    };
    let next = prepare(0);
    for (let from = 0; from < size; from += batchSize) {
      const inputs = await next!;
      next = prepare(from + batchSize);
      await body(inputs);
    }
  }

  return {
    async classify(inputs, options) {
      const checked = resolveOptions('classify', classifyOptionTable, options);
      const { topK, samples, seed = parts.seed, batchSize } = checked;
      const posterior = samples === undefined ? undefined : await parts.posterior();
      const results: Classification[] = [];
      await eachBatch(inputs, batchSize, async (batch) => {
        const means = new ProbabilityMeans(batch.length, classes);
        if (posterior === undefined) means.add(await probabilities(batch, weights));
        for (let draw = 0; draw < (samples ?? 0); draw++) {
          const drawn = posterior!.draw(ops, seed, draw);
          try {
            means.add(await probabilities(batch, { ...weights, ...drawn }));
          } finally {
            ops.dispose(drawn);
          }
        }
        for (const row of batch.keys()) results.push(means.result(row, classNames, topK));
      });
      return results;
    },

    async embed(inputs) {
      const results: Float32Array[] = [];
      const { batchSize } = resolveOptions('embed', classifyOptionTable, {});
      await eachBatch(inputs, batchSize, async (batch) => {
        const features = await run(model.features, weights, batch);
        for (const row of batch.keys()) results.push(features.slice(row * width, (row + 1) * width));
      });
      return results;
    },
  };
}
