/**
 * node packages/backends/bench/hand-over.mjs [THREADS]
 *
 * Where matrix products by onnxruntime begin to pay: products from small to middling, each by our own kernels and by the engine. The least of
 * fifty runs in turns. The rule that follows is in src/cpu/products/hand-over.ts.
 */
import { createCpuBackend } from '@lmd/backends/cpu';
import { openWithOnnxruntime } from './onnxruntime.mjs';
import { race } from './report.mjs';

const threads = Number(process.argv[2] ?? 2);
const squares = [32, 64, 96, 128, 160, 192, 256].map((size) => [1, size, size, size]);
const shapes = [
  ...squares,
  ...[
    [1, 64, 192, 10],
    [1, 64, 64, 192],
    [1, 3200, 64, 16],
    [1, 2048, 4, 384],
    [1, 64, 4160, 4],
    [1, 4160, 48, 192],
    // Vectors.
    [1, 1, 384, 384],
    [1, 1, 384, 1536],
    [1, 1, 768, 3072],
    [1, 4096, 64, 1],
    // Heads of attention.
    [16, 50, 16, 50],
    [256, 50, 16, 50],
    [192, 65, 64, 65],
    [48, 256, 64, 256],
    [2048, 16, 16, 16],
  ],
];

const ours = await createCpuBackend({ threads });
const engine = await openWithOnnxruntime((reason) => console.error(`${reason}.`), { threads, parallelThreshold: 0 });
if (engine === undefined) process.exit(1);
console.log(`${engine.device}; Node ${process.versions.node}\n`);
console.log('product'.padEnd(18), 'multiplications', '   ours, µs', ' engine, µs', '   ratio');
for (const [batch, m, k, n] of shapes) {
  const key = { seed: 1, stream: 0, step: 0, sample: 0 };
  const on = (backend) => {
    const [a, b] = [backend.randomNormal([batch, m, k], key), backend.randomNormal([batch, k, n], key)];
    return () => backend.dispose(backend.matmul(a, b, false, false));
  };
  const least = await race({ ours: on(ours), engine: on(engine) }, 50);
  const cells = [(batch * m * k * n).toLocaleString('en').padStart(15)];
  for (const time of [least.ours, least.engine]) cells.push((1000 * time).toFixed(1).padStart(11));
  console.log([batch, m, k, n].join(' × ').padEnd(18), ...cells, (least.ours / least.engine).toFixed(2).padStart(8));
}
ours.close();
engine.close();
