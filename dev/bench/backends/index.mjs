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

const device = await withBackends(async (backends) => {
  console.error(`${backends.cpu.device}; Node ${process.versions.node}`);
  const limits = await measureLimits(backends, rounds, quick);
  if (selected.includes('kernels')) await benchRoofline(backends, rounds, limits, quick);
  if (selected.includes('products')) await benchProducts(backends, rounds, limits, quick);
  if (selected.includes('rows')) await benchRowProducts(backends, rounds, limits, quick);
  return backends.cpu.device;
});
// The weights of a training stay until its backend closes, and all do not fit in 4 GiB.
if (selected.includes('blocks')) {
  await withBackends(async (backends) => {
    await benchBlockProducts(backends, rounds, quick);
    await benchBlockTraining(backends, rounds, quick);
  });
}
if (selected.includes('quantize')) await benchQuantize(rounds, quick);
if (selected.includes('optimizers')) await withBackends((backends) => benchOptimizers(backends, rounds, quick));
if (selected.includes('training')) await withBackends((backends) => benchTraining(backends, rounds, quick));
if (selected.includes('steps')) benchSteps(quick);
if (quick) forgetTargets();
print(given.json);
if (given.write) writePage(device);

/**
 * Runs a part with backends of its own, and closes them.
 *
 * @template T
 * @param {(backends: Awaited<ReturnType<typeof createBackends>>) => Promise<T>} part
 */
async function withBackends(part) {
  const backends = await createBackends();
  try {
    return await part(backends);
  } finally {
    backends.cpu.close();
    backends.wasm?.close();
  }
}

async function createBackends() {
  const cpu = await createCpuBackend();
  // In addition to native kernels, if available.
  const wasm = cpu.native.level === undefined ? undefined : await createCpuBackend({ native: 'off' });
  await untilThreadsRun(cpu);
  if (wasm !== undefined) await untilThreadsRun(wasm);
  return { cpu, wasm, tfjs: createTfjsBackend(tf), tf };
}

/** The start of workers takes time, which is not measured. */
async function untilThreadsRun(backend) {
  backend.dispose(backend.randomNormal([2 ** 20], { seed: 1, stream: 0, step: 0, sample: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
