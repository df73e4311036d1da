import type { Backend } from '@lmd/core';
import type { BackendName } from './names.js';

/** How each backend is started. Engines are loaded only when asked for. */
const openers: Readonly<Record<BackendName, () => Promise<Backend>>> = {
  cpu: async () => (await import('@lmd/backends/cpu')).createCpuBackend(),
  'tfjs-wasm': async () => (await import('./tfjs.js')).openTfjsBackend('wasm'),
  'tfjs-cpu': async () => (await import('./tfjs.js')).openTfjsBackend('cpu'),
  reference: async () => (await import('@lmd/backends/reference')).createReferenceBackend(),
};

/** Starts a backend. Throws `ENGINE_MISSING` where it does not work here. */
export function openBackend(name: BackendName): Promise<Backend> {
  return openers[name]();
}
