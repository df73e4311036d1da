import {
  fillRandomBits,
  LmdError,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  streamOf,
} from '@lmd/core';

/**
 * A pseudo-random permutation of 0 … size − 1: a Fisher–Yates shuffle (Knuth, TAOCP 3.4.2, algorithm P) on the random
 * bits of one Philox stream. It uses only integer arithmetic, so it is the same on every machine. Each swap index is
 * uniform to within size / 2^32.
 *
 * @param stream purpose of the permutation, such as `data-order`.
 * @param step index of the permutation in the stream, such as the epoch.
 */
export function permutation(size: number, seed: number, stream: string, step: number): Int32Array {
  const bits = new Uint32Array(Math.max(size - 1, 0));
  fillRandomBits(bits, { seed, stream: streamOf(stream), step, sample: 0 });
  const order = Int32Array.from({ length: size }, (_, index) => index);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor((bits[last - 1]! / 2 ** 32) * (last + 1));
    const swapped = order[last]!;
    order[last] = order[other]!;
    order[other] = swapped;
  }
  return order;
}

/** The options of `dataOrder`, declared once. */
export const dataOrderOptionTable = {
  /** Number of examples in the data set. A whole number, at least 1; required. */
  size: option.integer({ atLeast: 1, required: true, describe: 'Number of examples in the data set.' }),
  /** Number of examples per step. A whole number, at least 1; required. */
  batchSize: option.integer({ atLeast: 1, required: true, describe: 'Number of examples per step.' }),
  /** Random seed of the permutations. A whole number, at least 0; required. */
  seed: option.integer({ atLeast: 0, required: true, describe: 'Random seed of the permutations.' }),
  /**
   * Whether the last batch of an epoch is kept if it is smaller than `batchSize`; otherwise it is dropped. True or
   * false; default false.
   */
  keepPartialBatch: option.boolean({
    default: false,
    describe: 'Whether the last batch of an epoch is kept if it is smaller than `batchSize`; otherwise it is dropped.',
  }),
} as const satisfies OptionTable;

export interface DataOrderOptions extends OptionsOf<typeof dataOrderOptionTable> {}

export interface DataOrder {
  readonly batchesPerEpoch: number;
  /** Epoch (from 0), position in it (from 0) and example indices of the batch of a step (from 0). */
  batchAt(step: number): { readonly epoch: number; readonly position: number; readonly indices: Int32Array };
}

/**
 * The examples of each step: a new permutation every epoch, divided into batches. The batch of a step depends only on
 * (size, batchSize, seed, step), so a resumed run needs no stored data order.
 *
 * @throws LmdError `INVALID_ARGUMENT` if the data set does not fill one batch.
 */
export function dataOrder(options: DataOrderOptions): DataOrder {
  const checked = resolveOptions('dataOrder', dataOrderOptionTable, options);
  const { size, batchSize, seed, keepPartialBatch } = checked;
  const batches = size / batchSize;
  const batchesPerEpoch = keepPartialBatch ? Math.ceil(batches) : Math.floor(batches);
  if (batchesPerEpoch === 0) {
    throw new LmdError('INVALID_ARGUMENT', `batchSize is ${batchSize}, but the data set has only ${size} examples.`, {
      subject: 'batchSize',
      value: batchSize,
      remedy: `Use at most ${size}, or set keepPartialBatch.`,
    });
  }
  // Cache of the last epoch's permutation, which the next step uses again.
  let memo: { readonly epoch: number; readonly order: Int32Array } | undefined;
  return {
    batchesPerEpoch,
    batchAt(step) {
      const epoch = Math.floor(step / batchesPerEpoch);
      const position = step % batchesPerEpoch;
      if (memo?.epoch !== epoch) memo = { epoch, order: permutation(size, seed, 'data-order', epoch) };
      return { epoch, position, indices: memo.order.slice(position * batchSize, (position + 1) * batchSize) };
    },
  };
}

/**
 * The share of one worker of each batch: `batchSize` / `workers` examples, consecutive in the order of the ranks. So
 * the shares are a function of (seed, epoch, position, rank), and those of all workers are the batch of one process.
 */
export function shareOf(
  order: DataOrder,
  { rank, workers }: { readonly rank: number; readonly workers: number },
): DataOrder {
  return {
    ...order,
    batchAt(step) {
      const batch = order.batchAt(step);
      const size = batch.indices.length / workers;
      return { ...batch, indices: batch.indices.slice(rank * size, (rank + 1) * size) };
    },
  };
}
