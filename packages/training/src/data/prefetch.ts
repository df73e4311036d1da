import type { Dataset, DatasetBatch } from './dataset.js';
import type { DataOrder } from './order.js';

/** The batch of one step. */
export interface StepBatch extends ReturnType<DataOrder['batchAt']> {
  readonly batch: DatasetBatch;
}

/** Prefetches the batches of a run. */
export interface BatchQueue {
  /**
   * The batch of `step`. When it is available, the next batches are requested, so that they are prepared during the
   * computation.
   */
  take(step: number): Promise<StepBatch>;
  /** Waits for pending batches that are no longer needed, and ignores their errors. */
  close(): Promise<void>;
}

/**
 * A batch is a function of its step, so the order in which batches are prepared does not change results. At most
 * `ahead` + 1 batches are in memory. An error of a batch is thrown by `take` of its step, after the previous steps.
 *
 * @param ahead number of batches to request in advance.
 */
export function batchQueue(
  dataset: Dataset,
  order: DataOrder,
  { seed, ahead, totalSteps }: { readonly seed: number; readonly ahead: number; readonly totalSteps: number },
): BatchQueue {
  const asked = new Map<number, Promise<StepBatch>>();
  const ask = (step: number): Promise<StepBatch> => {
    const known = asked.get(step);
    if (known !== undefined) return known;
    const place = order.batchAt(step);
    const { epoch, indices } = place;
    // Starts immediately. A synchronous exception of the data set is also an error of its step.
    const begun = (async () => ({ ...place, batch: await dataset.batch(indices, { seed, epoch }) }))();
    // The error is thrown by `take`. Without this, an unhandled rejection would end the process.
    begun.catch(() => undefined);
    asked.set(step, begun);
    return begun;
  };
  return {
    async take(step) {
      const taken = await ask(step);
      asked.delete(step);
      for (let next = step + 1; next <= Math.min(step + ahead, totalSteps - 1); next++) ask(next);
      return taken;
    },
    async close() {
      const left = [...asked.values()];
      asked.clear();
      await Promise.allSettled(left);
    },
  };
}
