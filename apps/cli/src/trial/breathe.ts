import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '@lmd/training';

/**
 * The same data set, but each batch yields to the event loop. Otherwise an engine that computes in this thread would
 * block Ctrl-C and the notice that the parent has exited. The batch is started first, so that other threads load it
 * while a step is computed.
 *
 * @param evaluating receives the number of examples so far, where they are evaluated, in order.
 */
export function breathe(dataset: Dataset, evaluating?: (done: number) => void): Dataset {
  return {
    ...dataset,
    async batch(indices, context) {
      const batch = (async () => dataset.batch(indices, context))();
      batch.catch(() => undefined);
      await nextTurn();
      evaluating?.((indices[0] ?? 0) + indices.length);
      return batch;
    },
  };
}
