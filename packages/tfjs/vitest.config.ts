import { dirname, join } from 'node:path';
import { mergeConfig } from 'vitest/config';
import { testConfig } from '../../vitest.shared.ts';

/**
 * The folder of a tfjs-node engine that `dev/engines/libtensorflow` has built: then the tests of every engine run on
 * that one.
 */
const folder = process.env.LMD_TFJS_NODE;

/** A program has one copy of each package of TensorFlow.js: here that beside the engine. */
const beside = (name: string, file: string) => ({
  find: new RegExp(`^@tensorflow/${name}$`),
  replacement: join(dirname(folder!), name, 'dist', file),
});

export default folder === undefined
  ? testConfig({ provide: { engines: ['cpu', 'wasm'] } })
  : mergeConfig(
      testConfig({
        include: ['src/{convolution,layers,lmd-optimizer,quantize-mx}.test.ts'],
        provide: { engines: ['tensorflow'] },
      }),
      { resolve: { alias: [beside('tfjs-core', 'tf-core.node.js'), beside('tfjs-layers', 'tf-layers.node.js')] } },
    );
