import { createCpuBackend } from '@lmd/backends/cpu';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

const onnxruntime = process.env.LMD_ONNXRUNTIME;

if (onnxruntime === undefined) {
  it.skip('cpu with onnxruntime: LMD_ONNXRUNTIME names no folder of onnxruntime-node; node scripts/native-tests.mjs installs one', () => {});
} else {
  // Every product, however small: the suite's would stay with our own kernels.
  for (const threads of [1, 2]) {
    backendConformance(
      { describe, it, expect },
      {
        name: `cpu with onnxruntime, threads ${threads}`,
        create: () => createCpuBackend({ products: 'onnxruntime', onnxruntime, threads, parallelThreshold: 0 }),
      },
    );
  }
}
