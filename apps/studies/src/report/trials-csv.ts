import { csv } from '@lmd/report';
import type { Evidence } from './evidence.js';

const titles = [
  'part',
  'optimizer',
  'variant',
  'format',
  'seed',
  'steps',
  'model',
  'options',
  'split',
  'accuracy',
  'loss',
  'training_loss',
  'diverged',
  'spikes',
  'hash',
];

/** Every finished trial of every part, one per line, with the numbers of the ledger. */
export function trialsInCsv({ findings }: Evidence): string {
  return csv(
    titles,
    findings.flatMap(({ trial, result }) => {
      if (result === undefined) return [];
      const { part, optimizer, variant, format, seed, steps, split, hash, options, configuration } = trial;
      const { accuracy, loss, trainingLoss, diverged, spikes } = result;
      const described = [JSON.stringify(configuration.model), JSON.stringify(options)];
      const found = [accuracy, loss, trainingLoss, diverged, spikes];
      return [[part, optimizer, variant, format, seed, steps, ...described, split, ...found, hash]];
    }),
  );
}
