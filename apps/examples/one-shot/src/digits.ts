import { type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import { fullPrecision, type Vit } from '@lmd/models';
import { type Dataset, subset } from '@lmd/training';

/** Examples whose labels are read or inputs are computed at once. */
const batchSize = 500;

function* batches(size: number): Generator<Int32Array> {
  for (let from = 0; from < size; from += batchSize) {
    yield Int32Array.from({ length: Math.min(batchSize, size - from) }, (_, i) => from + i);
  }
}

/**
 * The examples of one class, and the others. The class becomes the last one, as a class that is added later, and the
 * classes after it move down by one.
 *
 * @throws LmdError `INVALID_ARGUMENT` if all examples or none are of that class.
 */
export async function withoutClass(
  dataset: Dataset,
  left: number,
): Promise<{ readonly old: Dataset; readonly added: Dataset }> {
  const parts: Record<'old' | 'added', number[]> = { old: [], added: [] };
  for (const indices of batches(dataset.size)) {
    const { labels } = await dataset.batch(indices);
    for (const [row, index] of indices.entries()) parts[labels.data[row] === left ? 'added' : 'old'].push(index);
  }
  for (const [part, { length }] of Object.entries(parts)) {
    if (length > 0) continue;
    const found = part === 'old' ? 'no examples of another class than' : 'no examples of';
    throw new LmdError('INVALID_ARGUMENT', `class is ${left}: "${dataset.name}" has ${found} this class.`, {
      subject: 'class',
      value: left,
      remedy: 'Use a class of the data set that has others beside it.',
    });
  }
  const last = dataset.classes! - 1;
  const relabelled = (indices: readonly number[], classes: number): Dataset => {
    const part = subset(dataset, indices);
    return {
      ...{ name: part.name, size: part.size, inputShape: part.inputShape, classes },
      async batch(positions) {
        const { inputs, labels } = await part.batch(positions);
        const moved = labels.data.map((label) => (label === left ? last : label > left ? label - 1 : label));
        return { inputs, labels: { data: moved, shape: labels.shape } };
      },
    };
  };
  return { old: relabelled(parts.old, last), added: relabelled(parts.added, last + 1) };
}

/** Inputs of the head, one row per example, with the labels. */
export interface Features {
  readonly rows: readonly Float32Array[];
  readonly labels: readonly number[];
}

export async function featuresOf(
  ops: EagerOperations,
  model: Vit,
  weights: NamedTensors,
  dataset: Dataset,
): Promise<Features> {
  const context = { training: false, precision: fullPrecision, key: { seed: 0, step: 0, sample: 0 } };
  const { width } = model.config;
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (const indices of batches(dataset.size)) {
    const batch = await dataset.batch(indices);
    const pooled = ops.scope(() =>
      model.features(ops, weights, ops.fromData(batch.inputs.data, batch.inputs.shape), context),
    );
    const flat = (await ops.read(pooled)) as Float32Array;
    ops.dispose(pooled);
    for (const row of indices.keys()) rows.push(flat.slice(row * width, (row + 1) * width));
    labels.push(...batch.labels.data);
  }
  return { rows, labels };
}
