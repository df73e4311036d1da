export type { TfjsModule, TfjsTensorLike } from './engine.js';
export type { TfjsBackend } from './exchange.js';
export { createTfjsBackend, type TfjsBackendOptions } from './tfjs-backend.js';
