/**
 * npm run bench -- cpu [--json] [--write] [--rounds 7] [--only kernels,products,quantize,optimizers,training,steps]
 *
 * The cpu backend beside its peers, all in one run: TensorFlow.js on wasm always; onnxruntime where it is installed or LMD_ONNXRUNTIME
 * names its folder, raw and as the engine of the backend's products, in rows of their own; PyTorch where python3, or the Python that LMD_PYTHON names, has it. Every figure is the least of several
 * rounds, which interleave where both sides run in this process. `--write` writes docs/performance.md.
 */
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { openWithOnnxruntime } from './onnxruntime.mjs';
import { benchOptimizers } from './optimizers.mjs';
import { writePage } from './page.mjs';
import { benchProducts } from './products.mjs';
import { benchQuantize } from './quantize.mjs';
import { leaveOut, print } from './report.mjs';
import { benchRoofline, measureLimits } from './roofline.mjs';
import { benchSteps } from './steps.mjs';
import { benchTraining } from './training.mjs';

const sections = ['kernels', 'products', 'quantize', 'optimizers', 'training', 'steps'];
const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: sections.join(',') },
  },
});
const rounds = Number(given.rounds);
const wanted = given.only.split(',');
const unknown = wanted.find((section) => !sections.includes(section));
if (unknown !== undefined) throw new Error(`There is no section ${unknown}. There are ${sections.join(', ')}.`);

for (const section of sections) if (!wanted.includes(section)) leaveOut(`the section ${section}, by --only`);

tf.env().set('PROD', true);
await tf.setBackend('wasm');
await tf.ready();
const cpu = await createCpuBackend();
const withOnnxruntime = await openWithOnnxruntime(leaveOut);
const backends = { cpu, withOnnxruntime, tfjs: createTfjsBackend(tf), tf };
console.error(`${(withOnnxruntime ?? cpu).device}; Node ${process.versions.node}`);
await untilThreadsRun(cpu);
const limits = await measureLimits(backends, rounds);
if (wanted.includes('kernels')) await benchRoofline(backends, rounds, limits);
if (wanted.includes('products')) await benchProducts(backends, rounds, limits);
if (wanted.includes('quantize')) await benchQuantize(rounds);
if (wanted.includes('optimizers')) await benchOptimizers(backends, rounds);
if (wanted.includes('training')) await benchTraining(backends, rounds);
if (wanted.includes('steps')) benchSteps();
print(given.json);
if (given.write) writePage(cpu.device, withOnnxruntime?.device);

/** Workers take a moment to start, which is no part of what is measured. */
async function untilThreadsRun(backend) {
  backend.dispose(backend.randomNormal([2 ** 20], { seed: 1, stream: 0, step: 0, sample: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
