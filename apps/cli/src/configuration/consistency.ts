import { isLmdError } from '@lmd/core';
import { geometryOf } from '../data/index.js';
import { UsageError } from '../errors.js';
import { buildModel } from '../trial/build-model.js';
import { buildOptimizer } from '../trial/build-optimizer.js';
import { planFineTuning } from '../trial/fine-tuning.js';
import { checkDistributed, checkExchange } from './distributed-consistency.js';
import type { Configuration } from './schema.js';
import { checkDataSize, checkModelSize } from './size-limits.js';

/**
 * Finds errors that involve several keys: sizes that do not fit together, and warm-up longer than the run. Builds the
 * model and the optimizers, which need no backend, so that such errors are found before a run folder is created.
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
  checkDistributed(configuration, origin);
  if (configuration.samples !== undefined && geometryOf(data).kind !== 'tokens') {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: samples need a language model, but data.kind is ${data.kind}.`,
      {
        subject: 'samples',
        value: data.kind,
        remedy: 'Remove samples, or use data.kind = text or tokens and model.kind = gpt2.',
      },
    );
  }
  if (fineTuning !== undefined && (model.kind === 'module' || model.weights === undefined)) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `${origin}: model.weights is missing, but fineTuning needs initial weights.`,
      {
        subject: 'model.weights',
        value: undefined,
        remedy: 'Set "model": { "weights": "<a run, a file, or a folder of transformers>" }, or remove fineTuning.',
      },
    );
  }
  let network: ReturnType<typeof buildModel>;
  try {
    network = buildModel(model, data);
    for (const optimizer of optimizers) {
      checkExchange(configuration, optimizer.name, buildOptimizer(optimizer, steps, network));
    }
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
