import type { EagerOperations, Tensor } from '@lmd/core';
import { mnistPackageFolder, readMnistFolder } from '@lmd/data/node';
import type { Dataset } from '@lmd/training';

/** Labelled pictures in memory. */
export interface Pictures {
  /** [examples, pixels], row-major. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly pixels: number;
}

/**
 * MNIST: the first `limit` training pictures, and all test pictures.
 *
 * @param mean that is subtracted from pixels in [0, 1]; with 0, the default, black pixels are 0.
 */
export async function mnistPictures(
  limit: number,
  mean = 0,
): Promise<{ readonly train: Pictures; readonly test: Pictures }> {
  const { train, test } = await readMnistFolder({ folder: mnistPackageFolder(), mean });
  return { train: await picturesOf(train, limit), test: await picturesOf(test, test.size) };
}

/** The first `limit` pictures of a data set, in memory. */
export async function picturesOf(dataset: Dataset, limit: number): Promise<Pictures> {
  const indices = Int32Array.from({ length: Math.min(limit, dataset.size) }, (_, i) => i);
  const { inputs, labels } = await dataset.batch(indices);
  const images = inputs.data as Float32Array;
  return { images, labels: labels.data, pixels: images.length / indices.length };
}

/** The pictures at `indices` as tensors: x [examples, pixels] and labels [examples]. */
export function batchOf(
  ops: EagerOperations,
  { images, labels, pixels }: Pictures,
  indices: Int32Array,
): { readonly x: Tensor; readonly labels: Tensor } {
  const chosen = new Float32Array(indices.length * pixels);
  for (const [row, index] of indices.entries()) {
    chosen.set(images.subarray(index * pixels, (index + 1) * pixels), row * pixels);
  }
  return {
    x: ops.fromData(chosen, [indices.length, pixels]),
    labels: ops.fromData(indices.map((index) => labels[index]!)),
  };
}
