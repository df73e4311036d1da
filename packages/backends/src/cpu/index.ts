export { type CpuBackend, createCpuBackend } from './cpu-backend.js';
export type { CpuBackendOptions } from './options.js';
export type { ProductsEngine } from './products/engine.js';
