/**
 * node dev/bench/backends/hand-over.mjs [--json] [--quick] [--threads 2]
 *
 * Where matrix products by onnxruntime begin to pay: products from small to middling, each by our own kernels and by
 * the engine. The least of fifty runs in turns. The rule that follows is in src/cpu/products/hand-over.ts. `--quick`
 * takes one run of the smallest.
 */
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@lmd/backends/cpu';
import { createWithOnnxruntime } from '../lib/onnxruntime.mjs';
import { print, race, report } from '../lib/report.mjs';

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    threads: { type: 'string', default: '2' },
  },
});
const threads = Number(given.threads);
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
const engine = await createWithOnnxruntime(createCpuBackend, { threads, parallelThreshold: 0 });
console.error(`${engine.device}; Node ${process.versions.node}`);
for (const [batch, m, k, n] of given.quick ? shapes.slice(0, 1) : shapes) {
  const key = { seed: 1, stream: 0, step: 0, sample: 0 };
  const on = (backend) => {
    const [a, b] = [backend.randomNormal([batch, m, k], key), backend.randomNormal([batch, k, n], key)];
    return () => backend.dispose(backend.matmul(a, b, false, false));
  };
  const least = await race({ ours: on(ours), engine: on(engine) }, given.quick ? 1 : 50);
  const name = `${[batch, m, k, n].join(' × ')}, ${(batch * m * k * n).toLocaleString('en')} multiplications, onnxruntime`;
  report(name, 1000 * least.engine, 'µs', 'our own', least.ours / least.engine);
}
print(given.json);
ours.close();
engine.close();
