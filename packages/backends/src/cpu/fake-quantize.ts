import { type FloatTensor, type FusedKernels, sizeOf, type Tensor } from '@lmd/core';
import { planInMemory } from '@lmd/mx-formats';
import type { MemoryHost } from './memory-host.js';
import { randomTensor } from './random.js';

type Options = Parameters<FusedKernels['fakeQuantize']>[1];

/** Values of which one call finds the largest. */
const partSize = 65_536;
/** Nanoseconds an element. */
const cost = 0.7;

/** Rounds from the arena to the arena, by the kernels of `@lmd/mx-formats`. */
export function fakeQuantize(host: MemoryHost, x: FloatTensor, options: Options): FloatTensor {
  const { run, address, store } = host;
  const count = sizeOf(x.shape);
  const plan = planInMemory(count, { ...options, shape: x.shape });
  return host.make(x.shape, 'f32', (out) => {
    if (count === 0) return;
    const words = plan.stochastic ? randomTensor(host, 'randomBits', x.shape, options.key!) : undefined;
    const largest = plan.needsLargest ? largestFinite(host, x, count) : 0;
    const settings = settingsTensor(host, plan.settings(largest));
    const addresses = {
      settings: address(settings),
      source: address(x),
      target: address(out),
      words: address(words ?? x),
    };
    const split = { total: plan.total, cost: (cost * count) / plan.total };
    if (plan.kernel === 'roundRowsInMemory') {
      const [length] = plan.shape;
      run(plan.kernel, split, { ...addresses, length });
    } else {
      const [length, blocks, inner] = plan.shape;
      run(plan.kernel, split, { ...addresses, length, blocks, inner });
    }
    store.free(settings);
    if (words !== undefined) store.free(words);
  });
}

/** The words of `InMemoryPlan.settings` in the memory; the caller frees them. */
export function settingsTensor(host: MemoryHost, words: Int32Array): Tensor {
  const settings = host.allocate([words.length], 'i32');
  host.integers(settings).set(words);
  return settings;
}

/** The largest finite magnitude, as float32 bits: those of positive numbers are in the order of the numbers. */
export function largestFinite(host: MemoryHost, x: Tensor, count: number): number {
  const total = Math.ceil(count / partSize);
  const parts = host.allocate([total], 'i32');
  const split = { total, cost: 0.2 * partSize };
  host.run('largestInMemory', split, { source: host.address(x), out: host.address(parts), count, partSize });
  const largest = host.integers(parts).reduce((a, b) => Math.max(a, b), 0);
  host.store.free(parts);
  return largest;
}
