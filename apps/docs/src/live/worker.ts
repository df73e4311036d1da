import { createCpuBackend } from '@lmd/backends/cpu';
import { createOperations } from '@lmd/core';
import { glyphBatch } from './glyphs.js';
import type { Request, Snapshot } from './messages.js';
import { createTrainer } from './trainer.js';

const batchSize = 32;
/** Of one report to the page, in milliseconds of training. */
const interval = 120;

// Before anything is awaited, since messages do not wait for a listener.
let wanted: Request | undefined;
let wake: () => void = () => {};
self.onmessage = ({ data }: MessageEvent<Request>) => {
  wanted = data;
  wake();
};

// One thread: a page without isolation headers has no shared memory.
const backend = await createCpuBackend({ threads: 1 });
const ops = createOperations(backend);
const heldOut = glyphBatch(200, Math.random);

/** Trains both optimizers on the same batches until another request comes. */
async function run(request: Request): Promise<void> {
  const names = ['lmd', 'adamw'] as const;
  const trainers = await Promise.all(names.map((optimizer) => createTrainer(ops, { ...request, optimizer })));
  const losses: number[][] = names.map(() => []);
  let step = 0;
  while (wanted === request && step < request.steps) {
    const began = performance.now();
    const first = step;
    do {
      const batch = glyphBatch(batchSize, Math.random);
      for (const [n, trainer] of trainers.entries()) losses[n]!.push(await trainer.train(batch));
      step += 1;
    } while (performance.now() - began < interval && step < request.steps);
    const seconds = (performance.now() - began) / 1000;
    const snapshot: Snapshot = {
      step,
      stepsPerSecond: (step - first) / seconds,
      runs: await Promise.all(
        trainers.map(async (trainer, n) => ({
          losses: losses[n]!.splice(0),
          accuracy: await trainer.accuracy(heldOut),
          magnitudes: await trainer.magnitudes(),
        })),
      ),
    };
    self.postMessage(snapshot);
    // Lets a new request in.
    await new Promise((resolve) => setTimeout(resolve));
  }
  for (const trainer of trainers) trainer.dispose();
}

for (;;) {
  const request = wanted;
  if (request === undefined || request.steps === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    continue;
  }
  await run(request);
  if (wanted === request) wanted = undefined;
}
