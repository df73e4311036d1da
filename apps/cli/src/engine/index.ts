import type { TfjsNodeName } from '@lmd/backends/tfjs-node';
import type { Backend } from '@lmd/core';
import type { BackendName } from './names.js';

/**
 * Opens tfjs-node by its package name, or from the folder that LMD_TFJS_NODE names, if that folder has the requested
 * variant.
 */
async function openTfjsNode(name: TfjsNodeName): Promise<Backend> {
  const { createTfjsNodeBackend, loadTfjsNode } = await import('@lmd/backends/tfjs-node');
  const folder = process.env.LMD_TFJS_NODE;
  const isNamed = folder !== undefined && folder.includes('tfjs-node-gpu') === (name === 'tfjs-node-gpu');
  return createTfjsNodeBackend(await loadTfjsNode(isNamed ? folder : name));
}

/**
 * The cpu backend with the matrix products of onnxruntime-node, or of the package in the folder that LMD_ONNXRUNTIME
 * names.
 */
async function openCpuWithOnnxruntime(): Promise<Backend> {
  const { createCpuBackend } = await import('@lmd/backends/cpu');
  const folder = process.env.LMD_ONNXRUNTIME;
  return createCpuBackend({ products: 'onnxruntime', ...(folder === undefined ? {} : { onnxruntime: folder }) });
}

export interface BackendOptions {
  /** Threads of the cpu backend (default: one per processor). The other engines choose their own number. */
  readonly threads?: number;
}

/** Opens each backend. Engines are loaded on demand. */
const openers: Readonly<Record<BackendName, (options: BackendOptions) => Promise<Backend>>> = {
  cpu: async (options) => (await import('@lmd/backends/cpu')).createCpuBackend(options),
  'cpu-onnxruntime': openCpuWithOnnxruntime,
  webgpu: async () => (await import('@lmd/backends/webgpu')).createWebgpuBackend(),
  'tfjs-node': () => openTfjsNode('tfjs-node'),
  'tfjs-node-gpu': () => openTfjsNode('tfjs-node-gpu'),
  'tfjs-wasm': async () => (await import('./tfjs.js')).openTfjsBackend('wasm'),
  'tfjs-cpu': async () => (await import('./tfjs.js')).openTfjsBackend('cpu'),
  reference: async () => (await import('@lmd/backends/reference')).createReferenceBackend(),
};

/** Opens a backend. Throws `ENGINE_MISSING` if it does not work on this machine. */
export function openBackend(name: BackendName, options: BackendOptions = {}): Promise<Backend> {
  return openers[name](options);
}
