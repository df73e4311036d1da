export { type CpuBackend, createCpuBackend } from './cpu-backend.js';
export type { NativeUse } from './native.js';
export type { CpuBackendOptions, NativeChoice } from './options.js';
export type { ProductsEngine } from './products/engine.js';
