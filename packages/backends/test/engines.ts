import { createTfjsBackend } from '@lmd/backends/tfjs';
import type { Backend } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';

/** The engines as they are used, and with our loops off, as WebGL, WebGPU and the Node binding would run. */
export const variants: readonly { readonly label: string; readonly create: () => Promise<Backend> }[] = (
  [
    ['wasm', true],
    ['cpu', true],
    ['wasm', false],
    ['cpu', false],
  ] as const
).map(([engine, hostKernels]) => ({
  label: `tfjs-${engine}${hostKernels ? '' : ' without host kernels'}`,
  async create() {
    await tf.setBackend(engine);
    await tf.ready();
    return createTfjsBackend(tf, { hostKernels });
  },
}));
