/** The backends that this version can run on. */
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

/** Those that come with the command; the others work where the user has installed their engine, or has a GPU. */
export const bundledBackends = ['cpu', 'tfjs-wasm', 'tfjs-cpu', 'reference'] as const satisfies readonly BackendName[];
