import { parseConfiguration } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import { isAddress } from './connect.js';

export interface WorkersOptions {
  /** A number of threads, or the address of a server. */
  readonly workers?: string;
  /** Number of workers of the whole training. */
  readonly world?: number;
}

/**
 * Refuses a number of workers of a server without the server: the training would run with threads of this machine.
 *
 * @throws UsageError `INVALID_ARGUMENT`
 */
export function refuseLoneWorld({ workers, world }: WorkersOptions): void {
  if (world === undefined || workers !== undefined) return;
  throw new UsageError('INVALID_ARGUMENT', `--world is ${world}, but --workers is missing.`, {
    subject: '--world',
    value: world,
    remedy: `Use --workers nats://host:4222 --world ${world}, or --workers ${world} for threads of this machine.`,
  });
}

/**
 * The configuration with the number of workers of the command line. Without `distributed`, they average gradients,
 * which gives the bits of one process.
 */
export function withWorkers(configuration: Configuration, { workers, world }: WorkersOptions): Configuration {
  const threads = workers === undefined || isAddress(workers) ? undefined : threadsOf(workers);
  if (threads !== undefined && world !== undefined) {
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--workers ${threads} and --world ${world} both give a number of workers.`,
      {
        subject: '--world',
        value: world,
        remedy: 'Use --workers <count> for threads of this machine, or --workers nats://host:4222 --world <count>.',
      },
    );
  }
  const count = world ?? threads;
  if (count === undefined) return configuration;
  const { distributed } = configuration;
  return parseConfiguration(
    { ...configuration, distributed: { exchange: 'averages', ...distributed, workers: count } },
    '--workers',
  );
}

/**
 * Checks the number of workers of the command line against that of a run that it resumes, which keeps its own.
 *
 * @throws UsageError `INVALID_ARGUMENT`
 */
export function checkWorkersOfRun({ distributed }: Configuration, { workers, world }: WorkersOptions): void {
  const threads = workers === undefined || isAddress(workers) ? undefined : threadsOf(workers);
  const [option, count] = world === undefined ? ['--workers', threads] : ['--world', world];
  const own = distributed?.workers;
  if ((count === undefined || count === own) && (workers === undefined || own !== undefined)) return;
  const subject = count === undefined ? '--workers' : option;
  const value = count ?? workers;
  const message = `${subject} is ${value}, but this run trains with ${own === undefined ? 'one process' : `${own} workers`}.`;
  throw new UsageError('INVALID_ARGUMENT', message, {
    subject,
    value,
    remedy: `A resumed run keeps its number of workers: omit ${subject}.`,
  });
}

function threadsOf(workers: string): number {
  const count = Number(workers);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new UsageError('INVALID_ARGUMENT', `--workers is ${workers}.`, {
    subject: '--workers',
    value: workers,
    remedy: 'Use a number of threads of this machine, or the address of a server: nats://host:4222.',
  });
}

/** Refuses a server without a number of workers. */
export function requireWorkers({ distributed }: Configuration): void {
  if (distributed !== undefined) return;
  throw new UsageError('INVALID_ARGUMENT', 'The number of workers is missing.', {
    subject: '--world',
    remedy: 'Give it with --world <count>, or as distributed.workers in the configuration.',
  });
}
