// node dev/engines/onnxruntime/install.mjs FOLDER: installs onnxruntime-node, pinned by the lockfile in engine/, and
// prints the folder of the package, for the variable LMD_ONNXRUNTIME of the benchmarks. It takes 288 MB.
import { fileURLToPath } from 'node:url';
import { installNpmEngine, installProgram } from '../npm-engine.mjs';

const engine = fileURLToPath(new URL('engine/', import.meta.url));

/** Installs onnxruntime-node in `folder`, which is created if missing; returns the folder of the package. */
export const installOnnxruntime = (options) => installNpmEngine(engine, options);

if (process.argv[1] === fileURLToPath(import.meta.url)) await installProgram('onnxruntime', installOnnxruntime);
