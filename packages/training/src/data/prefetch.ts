import type { Dataset, DatasetBatch } from './dataset.js';
import type { DataOrder } from './order.js';

/** The batch of one step. */
export interface StepBatch extends ReturnType<DataOrder['batchAt']> {
  readonly batch: DatasetBatch;
}

/** Prefetches the batches of a run. */
export interface BatchQueue {
  /**
   * The batch of `step`. Those of the next steps are asked for when it is there, and come about while it is computed
   * with.
   */
  take(step: number): Promise<StepBatch>;
  /** Waits for pending batches that are no longer needed, and ignores their errors. */
  close(): Promise<void>;
}

/**
 * Since a batch is a function of its step, what is asked for early is what would be asked for late: the order in which
 * batches come about changes no bit. At most `ahead` + 1 are held. An error of a batch is thrown by the `take` of its
 * step, and not before: the steps until then are made.
 *
 * @param ahead how many batches are asked for before they are needed.
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
    // Begins at once; what a data set throws at once is an error of its step as well.
    const begun = (async () => ({ ...place, batch: await dataset.batch(indices, { seed, epoch }) }))();
    // Thrown where it is taken: without this, an error that is never taken would end the process.
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
