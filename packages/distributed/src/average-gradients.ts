import { type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { LocalStep, StepExchange, TrainingRun } from '@lmd/training';
import { fromBfloat16, toBfloat16 } from './bfloat16.js';
import { ArrayReader, channelOf, joinArrays } from './channel.js';
import { compareWeights } from './compare-weights.js';
import { readAll, replaced } from './host-gradients.js';
import { exchangeMarker } from './marker.js';
import { checkWorker, comparisons, workerOptionTable } from './worker-options.js';

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
} as const satisfies OptionTable;

export interface AverageGradientsOptions extends OptionsOf<typeof averageGradientsOptionTable> {}

/**
 * Data parallelism with averaged gradients, for any optimizer. Every worker sends its gradients to all others and adds
 * all of them in the order of the ranks, so that all workers have the same state to the bit.
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
  const { rank, workers, format } = resolved;
  const [counts, gradients, hashes] = ['counts', 'gradients', 'hashes'].map((purpose) => channelOf(resolved, purpose));
  const isCompared = comparisons(resolved);

  async function update(local: LocalStep, run: TrainingRun) {
    const { ops, optimizer } = run;
    const { step, state, losses, passes } = local;
    const own = await readAll(ops, [...losses, ...passes.flatMap((pass) => Object.values(pass.gradients))]);
    const sent = joinArrays(own.map((values, index) => (isExact(index) ? values : toBfloat16(values))));
    const { payloads } = await gradients!.gather(step, sent);
    const sums = own.map(({ length }) => new Float32Array(length));
    let isStart = true;
    for (const payload of payloads.values()) {
      const reader = new ArrayReader(payload);
      for (const [index, sum] of sums.entries()) {
        const { length } = sum;
        addTo(sum, isExact(index) ? reader.floats(length) : fromBfloat16(reader.halves(length)), isStart);
      }
      isStart = false;
    }
    const next = ops.scope(() => {
      const updated = optimizer.update(ops, state, replaced(ops, passes, sums.slice(losses.length)));
      for (const tensor of Object.values(updated.tensors)) ops.keep(tensor);
      return updated;
    });
    try {
      if (isCompared(step)) await compareWeights(hashes!, step + 1, ops, next.tensors);
    } catch (error) {
      ops.dispose(next.tensors);
      throw error;
    }
    return { loss: meanOf(sums.slice(0, losses.length)), state: next };

    /** Losses are always sent exactly. */
    function isExact(index: number): boolean {
      return format === 'f32' || index < losses.length;
    }
  }

  return {
    ...exchangeMarker,
    name: 'averageGradients',
    rank,
    workers,
    ...(format === 'f32' ? {} : { identity: { averageGradients: format, workers } }),
    async total(step, counted) {
      const { payloads } = await counts!.gather(step, joinArrays([Uint32Array.of(counted)]));
      let sum = 0;
      for (const payload of payloads.values()) sum += new ArrayReader(payload).words(1)[0]!;
      return sum;
    },
    update,
  };
}

/** f32 additions. The first term is copied, since 0 + −0 is 0. */
function addTo(sum: Float32Array, term: Float32Array, isFirst: boolean): void {
  if (isFirst) sum.set(term);
  else for (let index = 0; index < sum.length; index++) sum[index]! += term[index]!;
}

/** The mean over the posterior samples, rounded as the step of one process rounds it. */
function meanOf(losses: readonly Float32Array[]): number {
  const sum = losses.map((loss) => loss[0]!).reduce((a, b) => Math.fround(a + b));
  return Math.fround(sum * Math.fround(1 / losses.length));
}
