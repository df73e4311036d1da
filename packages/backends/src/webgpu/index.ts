export type { WebgpuBackendOptions } from './options.js';
export type { WebgpuStatistics } from './statistics.js';
export { createWebgpuBackend, type WebgpuBackend } from './webgpu-backend.js';
