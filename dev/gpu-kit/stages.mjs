import { createCpuBackend } from '@lmd/backends/cpu';
import { createWebgpuBackend } from '@lmd/backends/webgpu';
import { runConformance } from '@lmd/conformance';
import { countWebgpu } from '../bench/backends/webgpu-counts.mjs';
import { measureWebgpu } from '../bench/backends/webgpu-tasks.mjs';
import { tensorflow } from '../bench/backends/webgpu-tensorflow.mjs';
import { trainDigits } from './digits.mjs';
import { compareLogits } from './logits.ts';

export const stages = ['conformance', 'logits', 'benchmark', 'training'];

const bodies = { conformance, logits, benchmark, training };

/** What a stage found: `failed`, the device, and figures of its own; or an error. */
export async function runStage(name, quick) {
  let backend;
  try {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    const gpu = create([]);
    const open = (options = {}) => createWebgpuBackend({ powerPreference: 'high-performance', ...options, gpu });
    backend = await open();
    const software = /swiftshader|llvmpipe/i.test(backend.device);
    const small = quick || software;
    process.stderr.write(`  ${backend.device}\n`);
    return { device: backend.device, software, ...(await bodies[name]({ backend, gpu, open, quick, small })) };
  } catch (error) {
    return {
      failed: true,
      ...(backend === undefined ? {} : { device: backend.device }),
      error: error instanceof Error ? error.message : String(error),
    };
  }
}

async function conformance({ backend, quick }) {
  const { passed, failed, seed, milliseconds } = await runConformance({
    name: 'webgpu',
    seed: 1,
    create: () => backend,
    ...(quick ? { filter: (name) => /block products|fakeQuantize|matmul/.test(name) } : {}),
    onResult({ name, passed: right }) {
      if (!right) process.stderr.write(`  failed: ${name}\n`);
    },
  });
  const failures = failed.map(({ name, error }) => ({
    name,
    error: error instanceof Error ? error.message : `${error}`,
  }));
  return { failed: failures.length > 0, seed, milliseconds, passed: passed.length, failures };
}

/** The logits of a recorded run on the GPU and on the processor. */
async function logits({ backend }) {
  const cpu = await createCpuBackend();
  const [gpu, processor] = [await compareLogits(backend), await compareLogits(cpu)];
  cpu.close();
  return { failed: !gpu.same || !processor.same, ...gpu, cpu: processor.hash };
}

async function benchmark({ backend, gpu, open, quick, small }) {
  const tf = quick ? undefined : await tensorflow(gpu);
  const rows = await measureWebgpu({ backend, tf, rounds: quick ? 1 : 5, large: !small, quick });
  rows.push(...(await countWebgpu(open, small ? ['tiny'] : ['tiny', 'Ti/4'], quick ? 1 : 8)));
  return { failed: false, rows };
}

async function training({ backend, quick, small }) {
  const runs = [];
  for (const optimizer of ['adamw', 'lmd']) {
    for (const precision of ['fp32', 'mxfp6_e2m3', 'mxfp4_e2m1']) {
      const size = quick ? { steps: 4, batch: 8 } : small ? { steps: 60, batch: 32 } : { steps: 400, batch: 64 };
      runs.push(await trainDigits(backend, { optimizer, precision, ...size }));
      process.stderr.write(`  ${optimizer}, ${precision}: loss ${runs.at(-1).lastLoss.toFixed(3)}\n`);
    }
  }
  return { failed: runs.some(({ lastLoss }) => !Number.isFinite(lastLoss)), runs };
}
