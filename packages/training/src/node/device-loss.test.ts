import { join } from 'node:path';
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import { isLmdError, lmd } from '@lmd/core';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporary-folder.js';
import { f32, moons, tinyMlp } from '../../test/tiny-mlp.js';
import { eventListener, train } from '../index.js';
import { checkpointing, latestCheckpoint } from './index.js';

interface Gpu {
  requestAdapter(): Promise<{ requestDevice(): Promise<{ destroy(): void }> } | null>;
}

const { create } = (await import('webgpu')) as unknown as { create(flags: string[]): Gpu };
const gpu = create([]);
const missing = (await gpu.requestAdapter().catch(() => null)) === null;

/** A run in `folder` on a device of its own, which is lost after the step `loseAfter`. */
async function runIn(folder: string, loseAfter = Number.POSITIVE_INFINITY) {
  // Asked of `gpu` here, which also keeps it alive: a device of Dawn does not outlive its entry point.
  const device = await (await gpu.requestAdapter())!.requestDevice();
  const losses: number[] = [];
  const checkpoints = join(folder, 'checkpoints');
  try {
    const result = await train({
      backend: await createWebgpuBackend({ device }),
      model: tinyMlp(2, 8, 2, 0.1),
      optimizer: lmd({ learningRate: 0.02 }),
      precision: f32,
      data: { train: moons(40) },
      seed: 1,
      steps: 20,
      batchSize: 8,
      resume: await latestCheckpoint(checkpoints),
      plugins: [
        checkpointing({ folder: checkpoints, every: 4 }),
        eventListener((event) => {
          if (event.type !== 'step') return;
          losses[event.step] = event.loss;
          if (event.step === loseAfter) device.destroy();
        }),
      ],
    });
    result.dispose();
    return { losses };
  } catch (error) {
    return { losses, error };
  } finally {
    device.destroy();
  }
}

it.skipIf(missing)(
  missing
    ? 'WebGPU: skipped, since Dawn finds no adapter here'
    : 'a run that loses its WebGPU device says so, and resumes from its last checkpoint to the same losses',
  async () => {
    const whole = await runIn(await temporaryFolder());
    expect(whole.error).toBeUndefined();
    const folder = await temporaryFolder();
    const cut = await runIn(folder, 10);
    expect(isLmdError(cut.error)).toBe(true);
    expect(String(cut.error)).toContain('device was lost');
    expect(String(cut.error)).toContain('resume from the last checkpoint');
    expect(cut.losses.length).toBeLessThan(whole.losses.length);
    const rest = await runIn(folder);
    expect(rest.error).toBeUndefined();
    const first = rest.losses.findIndex((loss) => loss !== undefined);
    // The checkpoint after step 8, or the one that the failing run could still write.
    expect(first).toBeGreaterThanOrEqual(8);
    expect(rest.losses.slice(first)).toEqual(whole.losses.slice(first));
    expect(cut.losses.slice(0, 8)).toEqual(whole.losses.slice(0, 8));
  },
);
