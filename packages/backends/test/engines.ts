import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import type { Backend } from '@lmd/core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { onnxruntimeFolder } from './onnxruntime-folder.js';

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

const folders = onnxruntimeFolder === undefined ? [] : [onnxruntimeFolder];
/** With every product by onnxruntime, however small; where there is one. */
const onnxruntimeVariants: readonly Variant[] = folders.flatMap((onnxruntime) =>
  [1, 2].map((threads) => ({
    label: `cpu with onnxruntime, threads ${threads}`,
    normalUlps: 4,
    create: () => createCpuBackend({ products: 'onnxruntime', onnxruntime, threads, parallelThreshold: 0 }),
  })),
);

export const variants: readonly Variant[] = [
  ...tfjsVariants,
  ...onnxruntimeVariants,
  { label: 'cpu', normalUlps: 4, create: () => createCpuBackend() },
  { label: 'cpu, strict', normalUlps: 4, create: () => createCpuBackend({ arithmetic: 'strict' }) },
];
