import { createReferenceBackend } from '@lmd/backends/reference';
import { createOperations } from '@lmd/core';
import { type DescribedNetwork, describeInMetadata } from '@lmd/inference';
import { serializeSafetensors, tensorFrom } from '@lmd/safetensors';
import { type Checkpoint, readTensors, writeTensors } from '@lmd/training';
import type { Settings } from '../settings/settings.js';
import { optimizerEntry, optimizerOf } from '../training/optimizer.js';
import { runNames } from '../training/session.js';
import type { Task } from '../training/task.js';

/** A model file of `lmd` with the mean of a run's weights, and all that a prediction needs to know. */
export async function modelBytes(
  task: Task,
  settings: Settings,
  run: number,
  { tensors, optimizerStep, step }: Checkpoint,
): Promise<Uint8Array> {
  const entry = optimizerEntry(settings.runs[run]!, task, runNames[run]!);
  // On the host: the weights are few, and the device may be lost.
  const ops = createOperations(createReferenceBackend());
  const optimizer = optimizerOf(entry, task.model);
  const weights = optimizer.weights(ops, { step: optimizerStep, tensors: writeTensors(ops, tensors) }, 'mean');
  const read = await readTensors(ops, weights);
  const { architecture, config } = task.model;
  const { classNames, preprocessing, tokenizer } = task;
  return serializeSafetensors({
    tensors: Object.fromEntries(
      Object.entries(read).map(([name, { data, shape }]) => [name, tensorFrom(data as Float32Array, shape)]),
    ),
    metadata: describeInMetadata({
      ...({ architecture, config } as DescribedNetwork),
      name: 'playground',
      ...(classNames === undefined ? {} : { classNames }),
      ...(preprocessing === undefined ? {} : { preprocessing }),
      ...(tokenizer === undefined ? {} : { tokenizer }),
      precision: entry.precision,
      optimizer: {
        name: entry.name,
        rule: entry.rule,
        options: entry.options,
        ...(entry.rest === undefined ? {} : { rest: entry.rest }),
      },
      weights: 'mean',
      seed: settings.seed,
      steps: step,
    }),
  });
}
