import { loadTfjsNode } from '@lmd/backends/tfjs-node';

// TensorFlow reports each device that it looks for.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

/** The folder of an engine that `dev/engines/libtensorflow` has built, if one is named. */
export const engineFolder = process.env.LMD_TFJS_NODE;

export const loadEngine = () => loadTfjsNode(engineFolder);
