export type { TfjsModule, TfjsTensorLike } from './engine.js';
export { createTfjsBackend, type TfjsBackend, type TfjsBackendOptions } from './tfjs-backend.js';
