import { loadTfjsNode } from '@lmd/backends/tfjs-node';

// TensorFlow reports each device that it looks for.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

/** The folder of an engine that `tools/libtensorflow` has built, if one is named. */
export const engineFolder = process.env.LMD_TFJS_NODE;
if (engineFolder === undefined) {
  console.log(
    'tfjs-node is left out: LMD_TFJS_NODE names no engine. node scripts/native-tests.mjs builds one and runs these tests.',
  );
}

export const loadEngine = () => loadTfjsNode(engineFolder ?? 'tfjs-node');
