/**
 * npm run bench -- backends [--json] [--rounds 7]
 *
 * The cpu backend beside its peers, all in one run: TensorFlow.js on wasm always; onnxruntime where it is installed or LMD_ONNXRUNTIME
 * names its folder; PyTorch where python3, or the Python that LMD_PYTHON names, has it. Every figure is the least of several
 * rounds, which interleave where both sides run in this process.
 */
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { benchOptimizers } from './optimizers.mjs';
import { benchProducts } from './products.mjs';
import { print } from './report.mjs';
import { benchTraining } from './training.mjs';

const { values: given } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } },
});
const rounds = Number(given.rounds);
tf.env().set('PROD', true);
await tf.setBackend('wasm');
await tf.ready();
const backends = { cpu: await createCpuBackend(), tfjs: createTfjsBackend(tf), tf };
console.error(`${backends.cpu.device}; Node ${process.versions.node}`);
await benchProducts(backends, rounds);
await benchOptimizers(backends, rounds);
await benchTraining(backends, rounds);
print(given.json);
