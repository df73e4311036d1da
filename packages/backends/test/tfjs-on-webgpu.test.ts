import { createReferenceBackend } from '@lmd/backends/reference';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import { createOperations } from '@lmd/core';
import { fakeQuantize, formats } from '@lmd/mx-formats';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFloats } from './random-values.js';
import { dawn, missingWebgpu } from './webgpu-engine.js';

/** TensorFlow.js's own WebGPU engine under Node: it asks for what only browsers have, and Dawn stands in. */
async function startEngine(): Promise<void> {
  const { globals } = (await import('webgpu')) as unknown as { globals: object };
  Object.assign(globalThis, globals);
  const gpu = (await dawn()) as unknown as { requestAdapter(): Promise<never> };
  const host = globalThis as { navigator?: object; WorkerGlobalScope?: unknown };
  host.navigator ??= {};
  Object.defineProperty(host.navigator, 'gpu', { value: gpu, configurable: true });
  host.WorkerGlobalScope ??= class {};
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const adapter = (await gpu.requestAdapter()) as { requestDevice(): Promise<never>; info: never };
  const device = await adapter.requestDevice();
  tf.env().set('PROD', true);
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info) as never);
  await tf.setBackend('webgpu');
  await tf.ready();
}

describe.skipIf(missingWebgpu !== undefined)(
  `the adapter on TensorFlow.js's WebGPU (${missingWebgpu ?? 'Dawn'})`,
  () => {
    beforeAll(startEngine);
    afterAll(() => tf.removeBackend('webgpu'));

    it.each([[[2, 3, 4]], [[5, 7, 33]], [[64, 32, 48]], [[2, 3, 4, 5]]])(
      'reduces %j over every choice of axes, NaN included, as the reference does',
      async (shape) => {
        const [on, reference] = [createOperations(createTfjsBackend(tf)), createOperations(createReferenceBackend())];
        const values = randomFloats(tf.util.sizeFromShape(shape), 3);
        values[1] = Number.NaN;
        const [x, same] = [on.fromData(values, shape), reference.fromData(values, shape)];
        for (let choice = 1; choice < 2 ** shape.length; choice++) {
          const axes = shape.map((_, axis) => axis).filter((axis) => choice & (1 << axis));
          expect(await on.read(on.max(x, { axes })), `max over ${axes}`).toEqual(
            await reference.read(reference.max(same, { axes })),
          );
        }
        for (const axis of shape.keys()) {
          const finite = values.map((value) => (Number.isNaN(value) ? 0 : value));
          expect(await on.read(on.argMax(on.fromData(finite, shape), axis))).toEqual(
            await reference.read(reference.argMax(reference.fromData(finite, shape), axis)),
          );
        }
      },
    );

    it.each([0, 1, 2])('rounds to a format along axis %i with the bits of @lmd/mx-formats', async (axis) => {
      const shape = [33, 64, 5];
      const values = randomFloats(33 * 64 * 5, 4);
      const on = createOperations(createTfjsBackend(tf));
      for (const format of [formats.mxfp6_e3m2, formats.mxfp4_e2m1]) {
        const rounded = on.fakeQuantize(on.fromData(values, shape), { format, axis });
        expect(await on.read(rounded)).toEqual(fakeQuantize(values, { format, shape, axis }));
      }
    });
  },
);
