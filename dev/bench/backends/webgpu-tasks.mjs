import { createPackedMatmul } from '@lmd/backends/webgpu';
import { createOperations } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { lmdOptions } from './settings.mjs';

/** What the benchmark of WebGPU measures, in Node and on a page alike: no built-in of either. */

const key = { seed: 1, stream: 2, step: 3, sample: 4 };

/** @typedef {[name: string, rows: number, terms: number, columns: number]} Product */

/** @type {Product[]} */
const products = [
  ['ViT-Ti, mlp up, 197 tokens', 197, 192, 768],
  ['GPT-2 small, mlp up, 32 tokens', 32, 768, 3072],
];
/** @type {Product[]} */
const smallProducts = [['8 × 32 × 16', 8, 32, 16]];
/** @type {Product[]} */
const largeProducts = [
  ['GPT-2 small, mlp up, 1,024 tokens', 1024, 768, 3072],
  ['2,048 cubed', 2048, 2048, 2048],
];

/**
 * Rows { name, value, unit, peer, ratio, target, met }. Each figure is the best of `rounds`; a round hands over
 * `repeat` operations and waits for a value of the last, so that what is measured is the device's work and not the
 * wait. The sides take turns.
 *
 * @param backend of createWebgpuBackend
 * @param tf the module @tensorflow/tfjs-core on WebGPU, or undefined
 * @param large for a GPU: sizes that software takes minutes for
 * @param quick sizes that take no time
 */
export async function measureWebgpu({ backend, tf, rounds, large, quick = false }) {
  const ops = createOperations(backend);
  const packed = createPackedMatmul(ops);
  const rows = [];
  const report = (name, value, unit, peer = null, ratio = null) =>
    rows.push({ name, value, unit, peer, ratio, target: null, met: null });
  const repeat = large ? 10 : 1;

  /** Milliseconds of one operation, for each side. */
  async function race(sides) {
    const best = sides.map(() => Number.POSITIVE_INFINITY);
    for (let round = large ? -2 : -1; round < rounds; round++) {
      for (const [i, { run, wait }] of sides.entries()) {
        const start = performance.now();
        for (let j = 0; j < repeat; j++) run();
        await wait();
        if (round >= 0) best[i] = Math.min(best[i], (performance.now() - start) / repeat);
      }
    }
    return best;
  }

  // The queue runs in order: a later scalar is there when all before it is.
  const probe = ops.full([1], 1);
  const settle = async () => {
    const y = ops.negate(probe);
    await ops.read(y);
    ops.dispose(y);
  };
  const ours = (run) => ({ run: () => ops.scope(() => void run()), wait: settle });
  const theirProbe = tf?.ones([1]);
  const theirs = (run) => ({
    run: () => tf.tidy(() => void run()),
    async wait() {
      const y = tf.neg(theirProbe);
      await y.data();
      y.dispose();
    },
  });
  const randoms = (shape, stream) => ops.randomNormal(shape, { ...key, stream });

  for (const [name, m, k, n] of quick ? smallProducts : large ? largeProducts : products) {
    const [a, b] = [randoms([m, k], 0), randoms([k, n], 1)];
    const matrix = packed.pack(b, { format: formats.mxfp4_e2m1 });
    const sides = [ours(() => ops.matmul(a, b)), ours(() => packed.matmul(a, matrix))];
    let held = [];
    if (tf !== undefined) {
      held = [tf.randomNormal([m, k]), tf.randomNormal([k, n])];
      sides.push(theirs(() => tf.matMul(held[0], held[1])));
    }
    const [plain, fourBits, other] = await race(sides);
    const flops = (2 * m * k * n) / 1e6;
    if (other === undefined) report(`product, ${name}`, flops / plain, 'GFLOP/s');
    else report(`product, ${name}`, flops / plain, 'GFLOP/s', 'TensorFlow.js', other / plain);
    report(`product, ${name}, weights in MXFP4`, flops / fourBits, 'GFLOP/s', 'f32 weights', plain / fourBits);
    packed.dispose(matrix);
    for (const format of [formats.mxfp6_e2m3, formats.mxfp4_e2m1, formats.mxfp6_e3m2]) {
      const options = /** @type {const} */ ({ format, rounding: 'nearestEven', scaleMode: 'floor' });
      const [left, right] = [
        ops.encodeOperand(a, { ...options, axis: 1 }),
        ops.encodeOperand(b, { ...options, axis: 0 }),
      ];
      const [codes, encoding, again] = await race([
        ours(() => ops.blockMatmul(left, right)),
        ours(() => ops.blockMatmul(ops.encodeOperand(a, { ...options, axis: 1 }), right)),
        ours(() => ops.matmul(a, b)),
      ]);
      report(`exact product, ${name}, ${format.name}`, flops / codes, 'GFLOP/s', 'f32 product', again / codes);
      report(
        `exact product, ${name}, ${format.name}, activations encoded too`,
        flops / encoding,
        'GFLOP/s',
        'f32 product',
        again / encoding,
      );
      ops.dispose([...Object.values(left.tensors), ...Object.values(right.tensors)]);
    }
    ops.dispose([a, b]);
    for (const tensor of held) tensor.dispose();
  }

  const [k, n] = quick ? [32, 32] : large ? [4096, 4096] : [768, 768];
  const x = randoms([1, k], 0);
  const weights = randoms([k, n], 1);
  for (const format of [formats.mxfp4_e2m1, formats.mxfp6_e3m2, formats.mxfp8_e4m3]) {
    const matrix = packed.pack(weights, { format });
    const [vector, plain] = await race([ours(() => packed.matmul(x, matrix)), ours(() => ops.matmul(x, weights))]);
    report(
      `vector × ${k} × ${n} in ${format.name}`,
      matrix.bytes / vector / 1e3,
      'MB/s',
      'f32 weights',
      plain / vector,
    );
    packed.dispose(matrix);
  }
  ops.dispose([x, weights]);

  const size = quick ? 2 ** 12 : large ? 2 ** 24 : 2 ** 18;
  const values = randoms([size / 1024, 1024], 3);
  const [copy, quantize] = await race([
    ours(() => ops.negate(values)),
    ours(() => ops.fakeQuantize(values, { format: formats.mxfp6_e3m2, axis: 1 })),
  ]);
  report(`negate ${size} values`, (8 * size) / copy / 1e6, 'GB/s');
  report(`fakeQuantize ${size} values to MXFP6`, (8 * size) / quantize / 1e6, 'GB/s', 'negate', copy / quantize);
  ops.dispose(values);

  const vectors = [0, 1, 2, 3, 4].map((stream) => randoms([size], stream));
  const [a, b, c, d, g] = vectors;
  const squares = ops.multiply(c, c);
  const prior = ops.full([], -1);
  const lmd = { ...lmdOptions, noise: 0.1 };
  const adam = { learningRate: 1e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: 10 };
  const state = { logPlus: a, logMinus: b, momentumPlus: c, momentumMinus: d };
  const sides = [
    ours(() => ops.lmdDraw(a, b, 0.1, key)),
    ours(() => ops.lmdUpdate(state, [g], [key], prior, lmd)),
    ours(() => ops.adamwUpdate({ weights: a, firstMoment: c, secondMoment: squares }, g, adam)),
  ];
  let variable;
  if (tf !== undefined) {
    variable = tf.variable(tf.randomNormal([size]));
    const gradient = tf.randomNormal([size]);
    const optimizer = tf.train.adam(1e-3, 0.9, 0.99, 1e-8);
    sides.push(theirs(() => optimizer.applyGradients({ [variable.name]: gradient })));
  }
  const [draw, update, adamw, theirAdam] = await race(sides);
  const rate = (bytes, time) => (bytes * size) / time / 1e6;
  const beside = theirAdam === undefined ? [] : ["TensorFlow.js's Adam"];
  const ratio = (time) => (theirAdam === undefined ? [] : [theirAdam / time]);
  report(`draw of LMD, ${size} weights`, rate(12, draw), 'GB/s');
  report(`update of LMD, ${size} weights`, rate(40, update), 'GB/s', ...beside, ...ratio(update));
  report(`update of AdamW, ${size} weights`, rate(28, adamw), 'GB/s', ...beside, ...ratio(adamw));
  ops.dispose([...vectors, squares, prior, probe]);
  return rows;
}
