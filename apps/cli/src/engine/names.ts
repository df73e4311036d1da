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
