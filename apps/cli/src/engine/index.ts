import type { NativeChoice } from '@lmd/backends/cpu';
import type { TfjsNodeName } from '@lmd/backends/tfjs-node';
import type { Backend } from '@lmd/core';
import type { BackendChoice } from '../configuration/backend-schema.js';
import { createModuleBackend } from '../modules/create.js';
import type { BackendName } from './names.js';

/**
 * Opens tfjs-node by its package name, or from the folder given by LMD_TFJS_NODE, if that folder has the requested
 * variant.
 */
async function openTfjsNode(name: TfjsNodeName): Promise<Backend> {
  const { createTfjsNodeBackend, loadTfjsNode } = await import('@lmd/backends/tfjs-node');
  const folder = process.env.LMD_TFJS_NODE;
  const isNamed = folder !== undefined && folder.includes('tfjs-node-gpu') === (name === 'tfjs-node-gpu');
  return createTfjsNodeBackend(await loadTfjsNode(isNamed ? folder : name));
}

/** The cpu backend. LMD_NATIVE selects its native kernels: auto (default), require or off. */
async function openCpu(options: BackendOptions): Promise<Backend> {
  const { createCpuBackend } = await import('@lmd/backends/cpu');
  const native = process.env.LMD_NATIVE as NativeChoice | undefined;
  return createCpuBackend({ ...options, ...(native === undefined ? {} : { native }) });
}

export interface BackendOptions {
  /** Threads of the cpu backend (default: one per processor). The other engines choose their own number. */
  readonly threads?: number;
}

/** Opens each backend. Engines are loaded on demand. */
const openers: Readonly<Record<BackendName, (options: BackendOptions) => Promise<Backend>>> = {
  cpu: openCpu,
  webgpu: async () => (await import('@lmd/backends/webgpu')).createWebgpuBackend(),
  'tfjs-node': () => openTfjsNode('tfjs-node'),
  'tfjs-node-gpu': () => openTfjsNode('tfjs-node-gpu'),
  'tfjs-wasm': async () => (await import('./tfjs.js')).openTfjsBackend('wasm'),
  'tfjs-cpu': async () => (await import('./tfjs.js')).openTfjsBackend('cpu'),
  reference: async () => (await import('@lmd/backends/reference')).createReferenceBackend(),
};

/** Opens a backend. Throws `ENGINE_MISSING` if it does not work on this machine. */
export function openBackend(choice: BackendChoice, options: BackendOptions = {}): Promise<Backend> {
  return typeof choice === 'string' ? openers[choice](options) : createModuleBackend(choice, options);
}
