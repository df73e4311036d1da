export type { TfjsModule, TfjsTensorLike } from '../tfjs/engine.js';
export type { WebgpuBackendOptions } from './options.js';
export { createPackedMatmul, type PackedMatmul, type PackOptions } from './packed-matmul.js';
export type { PackedMatrix } from './packed-matrix.js';
export type { WebgpuStatistics } from './statistics.js';
export { createWebgpuBackend, createWebgpuBackendOn, type WebgpuBackend } from './webgpu-backend.js';
