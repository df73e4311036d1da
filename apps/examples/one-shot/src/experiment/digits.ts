import { type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import { batchOf, type Pictures } from '@lmd/example-shared';
import { fullPrecision, type Vit } from '@lmd/models';

/** Pictures whose features are computed at once. */
const batchSize = 500;

/**
 * The pictures of one class, and the others. The class becomes the last one, as a class that is added later, and the
 * classes after it move down by one.
 *
 * @throws LmdError `INVALID_ARGUMENT` if all pictures or none are of that class.
 */
export function withoutClass({ images, labels, pixels }: Pictures, left: number): Record<'old' | 'added', Pictures> {
  const last = Math.max(...new Set(labels));
  const part = (wanted: boolean): Pictures => {
    const rows = [...labels.keys()].filter((row) => (labels[row] === left) === wanted);
    if (rows.length === 0) {
      throw new LmdError('INVALID_ARGUMENT', `class is ${left}: ${wanted ? 'no' : 'every'} picture is of this class.`, {
        subject: 'class',
        value: left,
        remedy: 'Use a class of the data that has others beside it.',
      });
    }
    const chosen = new Float32Array(rows.length * pixels);
    for (const [i, row] of rows.entries()) chosen.set(images.subarray(row * pixels, (row + 1) * pixels), i * pixels);
    const moved = rows.map((row) => labels[row]!).map((one) => (one === left ? last : one > left ? one - 1 : one));
    return { images: chosen, labels: Int32Array.from(moved), pixels };
  };
  return { old: part(false), added: part(true) };
}

/** Inputs of the head, one row per picture, with the labels. */
export interface Features {
  readonly rows: readonly Float32Array[];
  readonly labels: Int32Array;
}

export async function featuresOf(
  ops: EagerOperations,
  model: Vit,
  weights: NamedTensors,
  pictures: Pictures,
): Promise<Features> {
  const context = { training: false, precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };
  const { width, imageSize } = model.config;
  const rows: Float32Array[] = [];
  const order = Int32Array.from(pictures.labels.keys());
  for (let from = 0; from < order.length; from += batchSize) {
    const indices = order.subarray(from, from + batchSize);
    const pooled = ops.scope(() => {
      const { x } = batchOf(ops, pictures, indices);
      return model.features(ops, weights, ops.reshape(x, [indices.length, imageSize, imageSize, 1]), context);
    });
    const flat = (await ops.read(pooled)) as Float32Array;
    ops.dispose(pooled);
    for (const row of indices.keys()) rows.push(flat.slice(row * width, (row + 1) * width));
  }
  return { rows, labels: pictures.labels };
}
