/**
 * npm run bench -- cpu [--json] [--write] [--quick] [--rounds 7] [--only
 * kernels,products,rows,blocks,quantize,optimizers,training,steps]
 *
 * Benchmarks of the cpu backend, compared in one run with TensorFlow.js on wasm; with onnxruntime if it is installed or
 * LMD_ONNXRUNTIME is its folder; and with PyTorch if installed in python3 or the Python given by LMD_PYTHON. Every
 * figure is the minimum over several rounds, which alternate if both libraries run in this process. `--write` writes
 * docs/performance.md. `--quick` runs everything once at small sizes, compared only with TensorFlow.js, to check that
 * it works; its times are not meaningful.
 */
import { createCpuBackend } from '@lmd/backends/cpu';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import { benchArguments } from '../lib/arguments.mjs';
import { forgetTargets, leaveOut, print } from '../lib/report.mjs';
import { benchBlockProducts, benchBlockTraining } from './block-products.mjs';
import { benchOptimizers } from './optimizers.mjs';
import { writePage } from './page.mjs';
import { benchProducts } from './products.mjs';
import { benchQuantize } from './quantize.mjs';
import { benchRoofline, measureLimits } from './roofline.mjs';
import { benchRowProducts } from './row-products.mjs';
import { benchSteps } from './steps.mjs';
import { benchTraining } from './training.mjs';

const sections = ['kernels', 'products', 'rows', 'blocks', 'quantize', 'optimizers', 'training', 'steps'];
const given = benchArguments({ only: { type: 'string', default: sections.join(',') } });
const { quick, rounds } = given;
const selected = given.only.split(',');
const unknown = selected.find((section) => !sections.includes(section));
if (unknown !== undefined) throw new Error(`--only ${unknown} is not a section. Use some of ${sections.join(', ')}.`);

for (const section of sections) if (!selected.includes(section)) leaveOut(`the section ${section}, by --only`);

tf.env().set('PROD', true);
await tf.setBackend('wasm');
await tf.ready();
const cpu = await createCpuBackend();
// In addition to native kernels, if available.
const wasm = cpu.native.level === undefined ? undefined : await createCpuBackend({ native: 'off' });
const backends = { cpu, wasm, tfjs: createTfjsBackend(tf), tf };
console.error(`${cpu.device}; Node ${process.versions.node}`);
await untilThreadsRun(cpu);
if (wasm !== undefined) await untilThreadsRun(wasm);
const limits = await measureLimits(backends, rounds, quick);
if (selected.includes('kernels')) await benchRoofline(backends, rounds, limits, quick);
if (selected.includes('products')) await benchProducts(backends, rounds, limits, quick);
if (selected.includes('rows')) await benchRowProducts(backends, rounds, limits, quick);
if (selected.includes('blocks')) {
  await benchBlockProducts(backends, rounds, quick);
  await benchBlockTraining(backends, rounds, quick);
}
if (selected.includes('quantize')) await benchQuantize(rounds, quick);
if (selected.includes('optimizers')) await benchOptimizers(backends, rounds, quick);
if (selected.includes('training')) await benchTraining(backends, rounds, quick);
if (selected.includes('steps')) benchSteps(quick);
if (quick) forgetTargets();
print(given.json);
if (given.write) writePage(cpu.device);

/** The start of workers takes time, which is not measured. */
async function untilThreadsRun(backend) {
  backend.dispose(backend.randomNormal([2 ** 20], { seed: 1, stream: 0, step: 0, sample: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
