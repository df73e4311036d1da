import { describe, expect, it } from 'vitest';
import type { Dataset } from './dataset.js';
import { dataOrder } from './order.js';
import { batchQueue } from './prefetch.js';

const order = dataOrder({ size: 10, batchSize: 2, seed: 3 });

/** Gives batches when it is told to, and says which are asked for. */
function slow(failing = -1) {
  const asked: number[][] = [];
  const waiting: (() => void)[] = [];
  const dataset: Dataset = {
    name: 'slow',
    size: 10,
    inputShape: [1],
    async batch(indices) {
      const number = asked.push([...indices]) - 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (number === failing) throw new Error(`batch ${number}`);
      const data = Float32Array.from(indices);
      return {
        inputs: { data, shape: [indices.length, 1], dtype: 'f32' },
        labels: { data: Int32Array.from(indices), shape: [indices.length] },
      };
    },
  };
  return { dataset, asked, give: () => waiting.splice(0).forEach((resolve) => void resolve()) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('batchQueue', () => {
  it.each([0, 1, 3])('asks for %i batches ahead, in the order of the steps, and not beyond the last', async (ahead) => {
    const { dataset, asked, give } = slow();
    const queue = batchQueue(dataset, order, { seed: 3, ahead, totalSteps: 7 });
    for (let step = 0; step < 7; step++) {
      const taken = queue.take(step);
      give();
      await turn();
      give();
      const { epoch, position, indices, batch } = await taken;
      expect({ epoch, position, indices }).toEqual(order.batchAt(step));
      expect([...batch.labels.data]).toEqual([...indices]);
      expect(asked).toHaveLength(Math.min(7, step + 1 + ahead));
    }
    expect(asked).toEqual(Array.from({ length: 7 }, (_, step) => [...order.batchAt(step).indices]));
    await queue.close();
  });

  it('throws an error where its step takes it, once the steps before are made', async () => {
    const { dataset, give } = slow(1);
    const queue = batchQueue(dataset, order, { seed: 3, ahead: 1, totalSteps: 5 });
    const first = queue.take(0);
    give();
    await first;
    give();
    // The error is there, and nobody has taken it: no unhandled rejection, which would fail this test.
    await turn();
    await expect(queue.take(1)).rejects.toThrow('batch 1');
  });

  it('waits at its end for what is under way, whose errors are nobody’s', async () => {
    const { dataset, asked, give } = slow(1);
    const queue = batchQueue(dataset, order, { seed: 3, ahead: 1, totalSteps: 5 });
    const first = queue.take(0);
    give();
    await first;
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await turn();
    expect([closed, asked.length]).toEqual([false, 2]);
    give();
    await closing;
  });
});
