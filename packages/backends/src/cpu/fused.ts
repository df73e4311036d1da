import type { FusedKernels, Primitives } from '@lmd/core';
import { hostAttention } from '../host/attention.js';
import { hostFused } from '../host/fused.js';
import type { MemoryHost } from './memory-host.js';

/** All fused kernels. */
export function cpuFused(host: MemoryHost, primitives: Primitives): FusedKernels {
  return { ...hostFused(host), ...hostAttention(host, primitives.matmul) };
}
