/**
 * node bench/webgpu.mjs [--json] [--quick] [--large] [--rounds 5]    in Node, on Dawn
 * node bench/webgpu.mjs --page FILE.html                             writes a page that measures the same in a browser
 *
 * Compares the WebGPU backend with TensorFlow.js's WebGPU engine, each on its own device of the same adapter, and
 * counts the dispatches, copies, bytes, uploads, readbacks and pipelines of a training step. Build this package, models
 * and autograd first. Without a GPU it uses a software driver (SwiftShader), to which the ratios then apply, and prints
 * a note. `--quick` runs everything except TensorFlow.js once at small sizes; its counts are valid, but its times are
 * not meaningful.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, rows } from '../lib/report.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    page: { type: 'string' },
  },
});

if (given.page !== undefined) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./webgpu-page.mjs', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['webgpu'],
  });
  const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
  writeFileSync(
    given.page,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>WebGPU benchmark of @lmd/backends</title>
<style>body{font:14px/1.5 system-ui;margin:2rem}td,th{padding:.2rem .8rem;text-align:right}td:first-child{text-align:left}</style>
<h1>@lmd/backends/webgpu</h1><p id="status">Measuring …</p><table id="rows"></table>
<script type="module">${script}</script></html>\n`,
  );
} else {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const { createWebgpuBackend } = await import('@lmd/backends/webgpu');
  const { tensorflow } = await import('./webgpu-tensorflow.mjs');
  const { measureWebgpu } = await import('./webgpu-tasks.mjs');
  const { countWebgpu } = await import('./webgpu-counts.mjs');
  const backend = await createWebgpuBackend({ gpu });
  const { quick, large } = given;
  const tf = quick ? undefined : await tensorflow(gpu);
  const rounds = Number(given.rounds ?? (quick ? 1 : 5));
  const software = /swiftshader|llvmpipe/i.test(backend.device);
  console.error(`${backend.device}; Node ${process.versions.node}`);
  if (software) console.error('Software rendering: the figures and ratios do not apply to a GPU.');
  rows.push(...(await measureWebgpu({ backend, tf, rounds, large, quick })));
  const names = large ? ['tiny', 'Ti/4'] : ['tiny'];
  rows.push(...(await countWebgpu((options) => createWebgpuBackend({ ...options, gpu }), names, quick ? 1 : 8)));
  print(given.json);
  backend.close();
}
