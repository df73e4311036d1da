import { createCpuBackend } from '@lmd/backends/cpu';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

// By default with fused multiply-add where the engine has it.
backendConformance({ describe, it, expect }, { name: 'cpu', create: () => createCpuBackend() });
backendConformance(
  { describe, it, expect },
  { name: 'cpu, strict', create: () => createCpuBackend({ arithmetic: 'strict' }) },
);
