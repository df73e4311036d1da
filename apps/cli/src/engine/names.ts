/** All backends of the command. */
export const backendNames = [
  'cpu',
  'webgpu',
  'tfjs-node',
  'tfjs-node-gpu',
  'tfjs-wasm',
  'tfjs-cpu',
  'reference',
] as const;
export type BackendName = (typeof backendNames)[number];

/** Backends included with the command. The others need an engine that the user installs, or a GPU. */
export const bundledBackends = ['cpu', 'reference'] as const satisfies readonly BackendName[];
