import { isLmdError } from '@lmd/core';
import { UsageError } from '../errors.js';
import { buildModel } from '../trial/build-model.js';
import { buildOptimizer } from '../trial/build-optimizer.js';
import { planFineTuning } from '../trial/fine-tuning.js';
import type { Configuration } from './schema.js';
import { checkDataSize, checkModelSize } from './size-limits.js';

/**
 * Finds what no single key shows: sizes that do not fit together, and warm-up beyond the run's end. Builds the model and the
 * rules, which need no backend, so that such a mistake shows before a run folder is made.
 */
export function checkConsistency(configuration: Configuration, origin: string): void {
  const { model, data, optimizers, steps, batchSize, fineTuning } = configuration;
  checkDataSize(configuration, origin);
  for (const { name, schedule } of optimizers) {
    if (schedule.warmup < steps) continue;
    const subject = `optimizers.${name}.schedule.warmup`;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: ${subject} is ${schedule.warmup}, but the run has ${steps} steps.`,
      {
        subject,
        value: schedule.warmup,
        remedy: `Use a number below ${steps}, or more steps.`,
      },
    );
  }
  if (data.kind === 'synthetic' && batchSize > data.train) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: batchSize is ${batchSize}, but data.train has ${data.train} examples.`,
      {
        subject: 'batchSize',
        value: batchSize,
        remedy: `Use at most ${data.train}.`,
      },
    );
  }
  if (configuration.samples !== undefined && data.kind !== 'tokens') {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: samples need a language model, and data.kind is ${data.kind}.`,
      {
        subject: 'samples',
        value: data.kind,
        remedy: 'Remove samples, or train a gpt2 on tokens.',
      },
    );
  }
  if (fineTuning !== undefined && model.weights === undefined) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: model.weights is missing, and fineTuning needs weights to start from.`,
      {
        subject: 'model.weights',
        value: undefined,
        remedy: 'Set "model": { "weights": "<a run, a file, or a folder of transformers>" }, or leave out fineTuning.',
      },
    );
  }
  let network: ReturnType<typeof buildModel>;
  try {
    network = buildModel(model, data);
    for (const optimizer of optimizers) buildOptimizer(optimizer, steps, network);
    if (fineTuning !== undefined) planFineTuning(fineTuning, network);
  } catch (cause) {
    if (!isLmdError(cause)) throw cause;
    throw new UsageError(cause.code, `${origin}: ${cause.message}`, {
      ...(cause.subject === undefined ? {} : { subject: cause.subject }),
      value: cause.value,
      cause,
    });
  }
  checkModelSize(configuration, network, origin);
}
