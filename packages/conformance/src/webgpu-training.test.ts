import { valueAndGradients } from '@lmd/autograd';
import { createWebgpuBackend, type WebgpuBackend, type WebgpuStatistics } from '@lmd/backends/webgpu';
import {
  adamw,
  createOperations,
  isLmdError,
  lmd,
  type OptimizerState,
  parameterGroups,
  type TensorData,
} from '@lmd/core';
import { lmdParameter, precisionPreset, vit } from '@lmd/models';
import { describe, expect, it } from 'vitest';

const depth = 4;
const batch = 4;
const model = vit({
  imageSize: 12,
  channels: 1,
  classes: 10,
  patchSize: 4,
  width: 32,
  depth,
  heads: 2,
  pooling: 'classToken',
});
const optimizer = parameterGroups([
  { match: lmdParameter, optimizer: lmd({ learningRate: 0.01 }) },
  { match: '*', optimizer: adamw({ learningRate: 0.003 }) },
]);
const precision = precisionPreset('mxfp6_e3m2');

type Saved = Record<string, { readonly data: TensorData; readonly shape: readonly number[] }>;

/** Steps 0 to 2, or those from `resumed.step` on: their losses, what each did, and the state after step `stopAfter`. */
async function train(
  backend: WebgpuBackend,
  { resumed, stopAfter = 2 }: { resumed?: { step: number; saved: Saved }; stopAfter?: number } = {},
) {
  const ops = createOperations(backend);
  const images = ops.randomNormal([batch, 12, 12, 1], { seed: 3, stream: 0, step: 0, sample: 0 });
  const labels = ops.fromData(Int32Array.from({ length: batch }, (_, i) => i));
  let state: OptimizerState =
    resumed === undefined
      ? await optimizer.init(ops, model.initialize(ops, 1))
      : {
          step: resumed.step,
          tensors: Object.fromEntries(
            Object.entries(resumed.saved).map(([name, { data, shape }]) => [name, ops.fromData(data, shape)]),
          ),
        };
  const losses: number[] = [];
  const steps: WebgpuStatistics[] = [];
  while (state.step <= stopAfter) {
    backend.resetStatistics();
    const key = { seed: 1, step: state.step, sample: 0 };
    const weights = optimizer.draw(ops, state, key);
    const { value, gradients } = valueAndGradients(ops, weights, (tape, drawn) =>
      tape.mean(tape.crossEntropy(model.forward(tape, drawn, images, { training: true, precision, key }), labels)),
    );
    const next = optimizer.update(ops, state, [{ key, gradients }]);
    losses.push((await ops.read(value))[0]!);
    ops.dispose([value, ...[weights, gradients, state.tensors].flatMap(Object.values)]);
    state = next;
    steps.push(backend.statistics());
  }
  const saved: Saved = {};
  for (const [name, tensor] of Object.entries(state.tensors)) {
    saved[name] = { data: await ops.read(tensor), shape: tensor.shape };
  }
  return { ops, losses, steps, saved };
}

function dispatchesOf({ dispatchesByKernel }: WebgpuStatistics, kernel: RegExp): number {
  const counts = Object.entries(dispatchesByKernel).filter(([name]) => kernel.test(name));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

const optimizerKernels = /^(lmdDraw|lmdUpdate|adamwUpdate)/;

let missing = '';
try {
  (await createWebgpuBackend()).close();
} catch (error) {
  if (!isLmdError(error, 'ENGINE_MISSING')) throw error;
  missing = error.message;
}

describe.skipIf(missing !== '')(`a training step of a Vision Transformer on WebGPU ${missing}`, () => {
  it('draws and updates all small tensors in three dispatches, to the same bits', async () => {
    const together = await train(await createWebgpuBackend());
    const apart = await train(await createWebgpuBackend({ groupedElements: 0 }));
    for (const { ops } of [together, apart]) ops.backend.close?.();
    expect(together.losses).toEqual(apart.losses);
    expect(new Set(together.losses).size).toBe(3);

    // Matrices: four a block and two more, each drawn in one dispatch and updated in two. Beside them eight vectors a
    // block, and six more: each updated by AdamW in one.
    const [matrices, vectors] = [4 * depth + 2, 8 * depth + 6];
    const [, before] = apart.steps;
    const [, after] = together.steps;
    expect(dispatchesOf(before!, optimizerKernels)).toBe(3 * matrices + vectors);
    expect(dispatchesOf(after!, optimizerKernels)).toBe(3);
    expect(before!.dispatches - after!.dispatches).toBe(3 * matrices + vectors - 3);
    // In their place, a copy of each gradient.
    expect([before!.copies, after!.copies]).toEqual([0, matrices + vectors]);
    for (const { uploads, readbacks, readBytes, pipelines } of together.steps.slice(1)) {
      expect({ uploads, readbacks, readBytes, pipelines }).toEqual({
        uploads: 0,
        readbacks: 1,
        readBytes: 4,
        pipelines: 0,
      });
    }
  });

  it('goes on from its last checkpoint, to the same bits, after the device ran out of memory', async (test) => {
    const uninterrupted = await train(await createWebgpuBackend());
    const backend = await createWebgpuBackend();
    const { ops, losses, saved } = await train(backend, { stopAfter: 0 });
    // SwiftShader has buffers of up to 1 GiB by its limits, and gives none of that size: no memory is really filled.
    const error = await (async () => ops.read(ops.zeros([2 ** 28])))().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) test.skip(`${backend.device} has 1 GiB to give`);
    expect(error).toMatchObject({ code: 'BACKEND_FAILURE', subject: 'memory' });
    expect((error as Error).message).toContain('smaller batch');
    expect(() => ops.zeros([4])).toThrow('resume from the last checkpoint');
    backend.close();

    const rest = await train(await createWebgpuBackend(), { resumed: { step: 1, saved } });
    expect([...losses, ...rest.losses]).toEqual(uninterrupted.losses);
    expect(rest.saved).toEqual(uninterrupted.saved);
    for (const run of [uninterrupted, rest]) run.ops.backend.close?.();
  });
});
