export type { TfjsModule } from './engine.js';
export { createTfjsBackend, type TfjsBackendOptions } from './tfjs-backend.js';
