import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsNodeBackend, loadTfjsNode, type TfjsNodeBackendOptions } from '@lmd/backends/tfjs-node';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

// TensorFlow reports each device that it looks for.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const engine = process.env.LMD_TFJS_NODE;
if (engine === undefined) {
  it.skip('tfjs-node: LMD_TFJS_NODE names no engine; node scripts/native-tests.mjs builds one and runs these tests', () => {});
} else {
  const variants: [string, () => Promise<TfjsNodeBackendOptions>][] = [
    ['tfjs-node', async () => ({})],
    ['tfjs-node, all on the device', async () => ({ hostKernels: false })],
    ['tfjs-node with the cpu backend', async () => ({ cpu: await createCpuBackend({ threads: 1 }) })],
  ];
  for (const [name, options] of variants) {
    const create = async () => createTfjsNodeBackend(await loadTfjsNode(engine), await options());
    backendConformance({ describe, it, expect }, { name, create });
  }
}
