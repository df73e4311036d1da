import { createTfjsNodeBackend, loadTfjsNode } from '@lmd/backends/tfjs-node';
import { describe, expect, it } from 'vitest';
import { backendConformance } from './index.js';

// TensorFlow reports each device that it looks for.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const engine = process.env.LMD_TFJS_NODE;
if (engine === undefined) {
  it.skip('tfjs-node: LMD_TFJS_NODE names no engine; node scripts/native-tests.mjs builds one and runs these tests', () => {});
} else {
  for (const hostKernels of [true, false]) {
    backendConformance(
      { describe, it, expect },
      {
        name: hostKernels ? 'tfjs-node' : 'tfjs-node, all on the device',
        create: async () => createTfjsNodeBackend(await loadTfjsNode(engine), { hostKernels }),
      },
    );
  }
}
