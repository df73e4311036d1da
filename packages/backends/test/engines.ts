import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import type { Backend } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';

interface Variant {
  readonly label: string;
  /** Float32 steps by which normals may differ from the reference's. */
  readonly normalUlps: number;
  readonly create: () => Promise<Backend>;
}

/**
 * TensorFlow.js's engines as they are used, and with our loops off, as WebGL, WebGPU and the Node binding would run.
 */
const tfjsVariants: readonly Variant[] = (
  [
    ['wasm', true],
    ['cpu', true],
    ['wasm', false],
    ['cpu', false],
  ] as const
).map(([engine, hostKernels]) => ({
  label: `tfjs-${engine}${hostKernels ? '' : ' without host kernels'}`,
  normalUlps: 1,
  async create() {
    await tf.setBackend(engine);
    await tf.ready();
    return createTfjsBackend(tf, { hostKernels });
  },
}));

export const variants: readonly Variant[] = [
  ...tfjsVariants,
  { label: 'cpu', normalUlps: 4, create: () => createCpuBackend() },
  { label: 'cpu, strict', normalUlps: 4, create: () => createCpuBackend({ arithmetic: 'strict' }) },
  { label: 'cpu, native off', normalUlps: 4, create: () => createCpuBackend({ native: 'off' }) },
];
