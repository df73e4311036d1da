import { leaveOut, race, report } from '../lib/report.mjs';
import { loadOnnxruntime, onnxProduct } from './onnxruntime.mjs';

/** [name, batch, rows, terms, columns] of the products of one block; rows are batch × tokens. */
const layers = [
  ['ViT tiny, qkv', 1, 64 * 50, 64, 192],
  ['ViT-Ti, mlp up', 1, 8 * 197, 192, 768],
  ['ViT-Ti, scores', 24, 197, 64, 197],
  ['ViT tiny, scores', 256, 50, 16, 50],
  ['classifier', 1, 64, 192, 10],
  ['ViT-S, mlp up', 1, 8 * 197, 384, 1536],
  ['GPT-2 small, mlp up', 1, 1024, 768, 3072],
];

const smallLayers = [
  ['classifier', 1, 64, 192, 10],
  ['scores', 2, 50, 16, 50],
];

/** Forward, and the gradients of both operands as their transposed products. */
function products([name, batch, m, k, n]) {
  return [
    { name: `${name}, forward`, batch, m, k, n, transposeA: false, transposeB: false },
    { name: `${name}, input gradient`, batch, m, k: n, n: k, transposeA: false, transposeB: true },
    { name: `${name}, weight gradient`, batch, m: k, k: m, n, transposeA: true, transposeB: false },
  ];
}

const randoms = (size) => Float32Array.from({ length: size }, () => Math.random() - 0.5);

/**
 * Matrix products, compared with WebAssembly if ours are native, TensorFlow.js's kernel, the adapter and onnxruntime.
 */
export async function benchProducts({ cpu, wasm, tfjs, tf }, rounds, limits, quick) {
  const ort = quick ? undefined : loadOnnxruntime();
  if (ort === undefined && !quick) {
    leaveOut('onnxruntime-node is not installed, and LMD_ONNXRUNTIME is not set');
  }
  const ratios = [];
  for (const { name, batch, m, k, n, transposeA, transposeB } of (quick ? smallLayers : layers).flatMap(products)) {
    const a = randoms(batch * m * k);
    const b = randoms(batch * k * n);
    const shapeA = transposeA ? [batch, k, m] : [batch, m, k];
    const shapeB = transposeB ? [batch, n, k] : [batch, k, n];
    const on = (backend) => {
      const x = backend.fromData(a, shapeA, 'f32');
      const y = backend.fromData(b, shapeB, 'f32');
      return {
        run: () => backend.dispose(backend.matmul(x, y, transposeA, transposeB)),
        free: () => [x, y].map(backend.dispose),
      };
    };
    const ours = on(cpu);
    const inWasm = wasm === undefined ? undefined : on(wasm);
    const adapter = on(tfjs);
    const [x, y] = [tf.tensor(a, shapeA), tf.tensor(b, shapeB)];
    const least = await race(
      { ours: ours.run, adapter: adapter.run, tfjs: () => tf.matMul(x, y, transposeA, transposeB).dispose() },
      rounds,
    );
    if (inWasm !== undefined) Object.assign(least, await race({ wasm: inWasm.run }, rounds));
    const raw = await Promise.all(
      ort === undefined
        ? []
        : [1, 2].map((threads) => onnxProduct(ort, threads, { shapeA, shapeB, transposeA, transposeB }, a, b)),
    );
    // Measured separately: its threads keep spinning after a run and would slow down the next measurement.
    Object.assign(
      least,
      await race(Object.fromEntries(raw.map(({ run }, i) => [`onnxruntime ${i + 1}`, run])), 2 * rounds),
    );
    const flops = 2 * batch * m * k * n;
    const speed = flops / least.ours / 1e6;
    const row = (peer, time, target) => report(name, speed, 'GFLOP/s', peer, time / least.ours, target);
    report(name, speed, 'GFLOP/s', 'the peak of a product', speed / limits.product);
    if (inWasm !== undefined) row('WebAssembly alone', least.wasm, null);
    row('TensorFlow.js wasm', least.tfjs, 4);
    row('TensorFlow.js wasm through the adapter', least.adapter, null);
    if (raw.length > 0) {
      row('onnxruntime, 1 thread', least['onnxruntime 1'], null);
      row('onnxruntime, 2 threads', least['onnxruntime 2'], 0.95);
      ratios.push(least['onnxruntime 2'] / least.ours);
    }
    for (const { free } of [ours, adapter, ...(inWasm === undefined ? [] : [inWasm])]) free();
    for (const tensor of [x, y]) tensor.dispose();
    for (const { release } of raw) await release();
  }
  if (ratios.length === 0) return;
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  report('all products above, geometric mean', ratios.length, 'products', 'onnxruntime, 2 threads', mean, 1);
}
