import {
  checkContractVersion,
  describeValue,
  LmdError,
  type OptionsOf,
  type OptionTable,
  ofMaker,
  option,
  type ResolvedOptions,
} from '@lmd/core';
import { exchangeMarker } from './marker.js';
import { type Transport, transportSpecVersion } from './transport.js';

/** The options that all exchanges have, declared once. */
export const workerOptionTable = {
  /** How this worker reaches the others. An object; required. */
  transport: option.object<Transport>({ required: true, describe: 'How this worker reaches the others.' }),
  /**
   * Name of the run: letters, digits, `-` and `_`. The same for all workers, and for a run that is resumed; another for
   * every other run on the same transport. Required.
   */
  run: option.text({
    required: true,
    describe:
      'Name of the run: letters, digits, `-` and `_`. The same for all workers, and for a run that is resumed; ' +
      'another for every other run on the same transport.',
  }),
  /** Number of this worker, from 0. A whole number, at least 0; required. */
  rank: option.integer({ atLeast: 0, required: true, describe: 'Number of this worker, from 0.' }),
  /** Number of workers. A whole number, at least 1; required. */
  workers: option.integer({ atLeast: 1, required: true, describe: 'Number of workers.' }),
  /** Time in milliseconds after which a worker that waits for others fails. Above 0; default 600000. */
  timeoutMs: option.number({
    above: 0,
    default: 600_000,
    describe: 'Time in milliseconds after which a worker that waits for others fails.',
  }),
  /**
   * Number of steps between comparisons of the hashes of the weights of all workers; the first step is one. A whole
   * number, at least 1; default 100.
   */
  compareEvery: option.integer({
    atLeast: 1,
    default: 100,
    describe: 'Number of steps between comparisons of the hashes of the weights of all workers; the first step is one.',
  }),
  /**
   * Number of updates before the first step of all workers, whose weights are compared after it. Default: that of this
   * worker's first step. One that replaces another, and resumes from an earlier or later step than the run did, gives
   * that of the run. A whole number, at least 0.
   */
  start: option.integer({
    atLeast: 0,
    describe:
      'Number of updates before the first step of all workers, whose weights are compared after it. Default: that of ' +
      "this worker's first step. One that replaces another, and resumes from an earlier or later step than the run " +
      'did, gives that of the run.',
  }),
  /** Aborting it ends the wait for other workers. Pass that of `train`. An object. */
  signal: option.object<AbortSignal>({
    describe: 'Aborting it ends the wait for other workers. Pass that of `train`.',
  }),
} as const satisfies OptionTable;

/** The option of exchanges that send many tensors, declared once. */
export const bucketOptionTable = {
  /**
   * Bytes of gradients or weights that are sent at once; gradients as soon as the backward pass has computed them. A
   * whole number, at least 1; default 8388608.
   */
  bucketBytes: option.integer({
    atLeast: 1,
    default: 2 ** 23,
    describe:
      'Bytes of gradients or weights that are sent at once; gradients as soon as the backward pass has computed them.',
  }),
} as const satisfies OptionTable;

export interface WorkerOptions extends OptionsOf<typeof workerOptionTable> {}

export type ResolvedWorkerOptions = ResolvedOptions<typeof workerOptionTable>;

/** Says after which steps of a worker weights are compared. */
export function comparisons({ start, compareEvery }: ResolvedWorkerOptions): (step: number) => boolean {
  let first = start;
  return (step) => {
    first ??= step;
    return step === first || (step + 1) % compareEvery === 0;
  };
}

/** Checks what the table cannot. */
export function checkWorker(owner: string, { transport, run, rank, workers }: ResolvedWorkerOptions): void {
  checkContractVersion(transport, {
    owner: `The transport ${describeValue(transport.name)}${ofMaker(transport)}`,
    specVersion: transportSpecVersion,
    definedBy: exchangeMarker.madeBy,
    remedy: 'Pass inProcessTransport(), or natsTransport() of @lmd/distributed/nats.',
  });
  if (!/^[\w-]+$/.test(run)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: run is ${describeValue(run)}.`, {
      subject: 'run',
      value: run,
      remedy: 'Use letters, digits, "-" and "_".',
    });
  }
  if (rank >= workers) {
    throw new LmdError('INVALID_ARGUMENT', `${owner}: rank is ${rank}, but there are ${workers} workers.`, {
      subject: 'rank',
      value: rank,
      remedy: 'Ranks are from 0 to the number of workers − 1.',
    });
  }
}
