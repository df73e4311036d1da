// node dev/engines/transformersjs/install.mjs FOLDER: installs @huggingface/transformers (transformers.js) with its
// onnxruntime-node and onnxruntime-web, pinned by the lockfile in engine/, and prints the folder of the package, for
// the variable LMD_TRANSFORMERSJS of the tests of exported models. It takes 475 MB.
import { fileURLToPath } from 'node:url';
import { installNpmEngine, installProgram } from '../npm-engine.mjs';

const engine = fileURLToPath(new URL('engine/', import.meta.url));

/** Installs transformers.js in `folder`, which is created if missing; returns the folder of the package. */
export const installTransformersJs = (options) => installNpmEngine(engine, options);

if (process.argv[1] === fileURLToPath(import.meta.url)) await installProgram('transformersjs', installTransformersJs);
