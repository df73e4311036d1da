export { type CpuBackend, createCpuBackend } from './cpu-backend.js';
export type { CpuBackendOptions } from './options.js';
