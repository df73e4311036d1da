export type { TfjsTensorLike } from '../tfjs/engine.js';
export type { TfjsBackend } from '../tfjs/exchange.js';
export { loadTfjsNode, probeTfjsNode, type TfjsNodeModule, type TfjsNodeName, type TfjsNodeProbe } from './module.js';
export { createTfjsNodeBackend, type TfjsNodeBackendOptions } from './tfjs-node-backend.js';
