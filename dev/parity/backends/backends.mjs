// The backends of docs/backends.md, a column each. `create` throws an LmdError with code ENGINE_MISSING where a machine
// lacks the engine.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../scripts/lib.mjs';

const backends = (subpath) => import(`@lmd/backends/${subpath}`);

async function tensorflowJs(name) {
  const require = (await import('node:module')).createRequire(join(root, 'packages', 'backends', 'package.json'));
  const tf = require('@tensorflow/tfjs-core');
  require(`@tensorflow/tfjs-backend-${name}`);
  await tf.setBackend(name);
  await tf.ready();
  const { createTfjsBackend } = await backends('tfjs');
  return createTfjsBackend(tf);
}

/** The engine that LMD_TFJS_NODE names, or that `scripts/native-tests.mjs` has built. */
function tfjsNodeEngine() {
  const built = join(root, 'node_modules/.cache/lmd-tfjs-node/node_modules/@tensorflow/tfjs-node');
  return process.env.LMD_TFJS_NODE ?? (existsSync(built) ? built : undefined);
}

export const columns = [
  { name: 'reference', create: async () => (await backends('reference')).createReferenceBackend() },
  { name: 'cpu', create: async () => (await backends('cpu')).createCpuBackend() },
  { name: 'tfjs-cpu', create: () => tensorflowJs('cpu') },
  { name: 'tfjs-wasm', create: () => tensorflowJs('wasm') },
  {
    name: 'tfjs-node',
    async create() {
      process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
      const { createTfjsNodeBackend, loadTfjsNode } = await backends('tfjs-node');
      return createTfjsNodeBackend(await loadTfjsNode(tfjsNodeEngine()));
    },
  },
  { name: 'webgpu', create: async () => (await backends('webgpu')).createWebgpuBackend() },
];

/**
 * What Dawn needs to find SwiftShader, the Vulkan driver in software that a distribution's Chromium brings, where there
 * is no other.
 */
export function softwareVulkan() {
  if (process.env.VK_ICD_FILENAMES !== undefined || process.env.VK_DRIVER_FILES !== undefined) return {};
  const folders = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/usr/lib/chromium-browser'];
  const folder = folders.find((one) => existsSync(join(one, 'vk_swiftshader_icd.json')));
  if (folder === undefined) return {};
  const libraries = [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(':');
  return { VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: libraries };
}
