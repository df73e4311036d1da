import { type OptionsOf, type OptionTable, option, resolveOptions, type Tensor } from '@lmd/core';
import type { LocalStep, StepExchange, TrainingRun } from '@lmd/training';
import { addAll, replacedBy } from './add-gradients.js';
import { ArrayReader, channelOf, joinArrays } from './channel.js';
import { compareWeights } from './compare-weights.js';
import { BucketMemory, GradientSender, type SenderOptions } from './gradient-sender.js';
import { exchangeMarker } from './marker.js';
import { meanLoss } from './mean-loss.js';
import { Scratch } from './scratch.js';
import { bucketOptionTable, checkWorker, comparisons, workerOptionTable } from './worker-options.js';

/** The options of `averageGradients`, declared once. */
export const averageGradientsOptionTable = {
  ...workerOptionTable,
  /**
   * Format in which gradients are sent. `f32`: four bytes per weight; the run has the bits of one process. `bf16`: two
   * bytes, rounded to nearest; sums are in f32. `f32` or `bf16`; default `f32`.
   */
  format: option.choice(['f32', 'bf16'], {
    default: 'f32',
    describe:
      'Format in which gradients are sent. `f32`: four bytes per weight; the run has the bits of one process. `bf16`: ' +
      'two bytes, rounded to nearest; sums are in f32.',
  }),
  ...bucketOptionTable,
} as const satisfies OptionTable;

export interface AverageGradientsOptions extends OptionsOf<typeof averageGradientsOptionTable> {}

/**
 * Data parallelism with averaged gradients, for any optimizer. Every worker sends its gradients to all others and adds
 * all of them in the order of the ranks, so that all workers have the same state to the bit. Gradients are sent while
 * the backward pass goes on, in buckets as those of PyTorch (Li et al., arXiv:2006.15704, section 3.2).
 *
 * In `f32`, and with the default `microBatchSize` of one pass per worker, a run has the bits of one process with
 * `microBatchSize` = `batchSize` / `workers`; either resumes a checkpoint of the other. Backends that flush subnormal
 * numbers to 0 may differ in these.
 *
 * A worker sends the size of its gradients once a step, and receives that of all workers. Each step needs all workers.
 *
 * @throws LmdError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`
 */
export function averageGradients(options: AverageGradientsOptions): StepExchange {
  const resolved = resolveOptions('averageGradients', averageGradientsOptionTable, options);
  checkWorker('averageGradients', resolved);
  const { rank, workers, format, bucketBytes } = resolved;
  const [counts, hashes] = [channelOf(resolved, 'counts'), channelOf(resolved, 'hashes')];
  const isCompared = comparisons(resolved);
  const scratch = new Scratch();
  const sending: SenderOptions = {
    format,
    bucketBytes,
    channel: (bucket) => channelOf(resolved, `gradients-${bucket}`),
    memory: new BucketMemory(),
    scratch,
  };
  let sender: GradientSender | undefined;

  function begin(step: number, { ops }: TrainingRun): GradientSender {
    sender = new GradientSender(step, ops, sending);
    return sender;
  }

  async function update(local: LocalStep, run: TrainingRun) {
    const { ops, optimizer } = run;
    const { step, state, losses, passes } = local;
    const buckets = sender!.end(losses);
    sender = undefined;
    const means = new Map<string, Tensor>();
    try {
      const lossSums = await addAll(ops, buckets, { rank, format, losses: losses.length, scratch }, means);
      const next = ops.scope(() => {
        const updated = optimizer.update(ops, state, replacedBy(passes, means));
        for (const tensor of Object.values(updated.tensors)) ops.keep(tensor);
        return updated;
      });
      try {
        if (isCompared(step)) await compareWeights(hashes, step + 1, ops, next.tensors);
      } catch (error) {
        ops.dispose(next.tensors);
        throw error;
      }
      return { loss: meanLoss(lossSums), state: next };
    } finally {
      ops.dispose([...means.values()]);
    }
  }

  return {
    ...exchangeMarker,
    name: 'averageGradients',
    rank,
    workers,
    ...(format === 'f32' ? {} : { identity: { averageGradients: format, workers } }),
    async total(step, counted) {
      const { payloads } = await counts.gather(step, joinArrays([Uint32Array.of(counted)]));
      let sum = 0;
      for (const payload of payloads.values()) sum += new ArrayReader(payload).words(1)[0]!;
      return sum;
    },
    begin,
    update,
  };
}
