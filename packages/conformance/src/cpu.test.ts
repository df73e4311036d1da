import { createCpuBackend } from '@lmd/backends/cpu';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

// By default with fused multiply-add where the engine has it, and with as many threads as there are processors.
backendConformance({ describe, it, expect }, { name: 'cpu', create: () => createCpuBackend() });
backendConformance(
  { describe, it, expect },
  { name: 'cpu, strict, one thread', create: () => createCpuBackend({ arithmetic: 'strict', threads: 1 }) },
);
// WebAssembly alone, as where there are no native kernels.
backendConformance(
  { describe, it, expect },
  { name: 'cpu, without native kernels', create: () => createCpuBackend({ native: 'off' }) },
);
// Every operation on three threads, however small: the suite's tensors would stay on one.
backendConformance(
  { describe, it, expect },
  { name: 'cpu, three threads', create: () => createCpuBackend({ threads: 3, parallelThreshold: 0 }) },
);
