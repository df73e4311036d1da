import { parseArgs } from 'node:util';
import { formats } from '@lmd/mx-formats';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { createTfjsBackend } from '@lmd/backends/tfjs';
import { print, report } from '../lib/report.mjs';
import { tensorsOf } from './results.mjs';
import { lmdOptions } from './settings.mjs';

/**
 * node dev/bench/backends/operations.mjs [--json] [--quick] [wasm | cpu ...]
 *
 * The operations of a training step of a small Vision Transformer on engines of TensorFlow.js (default: wasm), each
 * after a warm-up. Build first. `--quick` runs each once on a batch of one.
 */
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const batch = given.quick ? 1 : 64;
const length = 50;
const width = 64;
const heads = 4;
const hidden = 4 * width;
const rows = batch * length;
const head = width / heads;

const key = { seed: 1, stream: 2, step: 3, sample: 4 };
/** @type {Pick<Required<import('@lmd/core').FakeQuantizeOptions>, 'format' | 'rounding' | 'scaleMode'>} */
const quantization = { format: formats.mxfp6_e3m2, rounding: 'nearestEven', scaleMode: 'floor' };
const lmd = { ...lmdOptions, noise: 0.1 };

/**
 * A case: its name, the shapes of its operands, its function, and for a product its floating-point operations.
 *
 * @typedef {[name: string, shapes: number[][], run: import('./results.mjs').Run, flops?: number]} Case
 */

/**
 * @param {string} name
 * @param {number[]} a
 * @param {number[]} b
 * @param {boolean} transposeA
 * @param {boolean} transposeB
 * @returns {Case}
 */
function product(name, a, b, transposeA, transposeB) {
  const m = a[transposeA ? 2 : 1];
  const n = b[transposeB ? 1 : 2];
  const flops = 2 * Math.max(a[0], b[0]) * m * n * a[transposeA ? 1 : 2];
  return [
    `matmul ${name} [${a}]${transposeA ? 'ᵀ' : ''}·[${b}]${transposeB ? 'ᵀ' : ''}`,
    [a, b],
    (b_, [x, y]) => b_.matmul(x, y, transposeA, transposeB),
    flops,
  ];
}

const unary = /** @type {const} */ (['negate', 'sign', 'exp', 'log', 'sqrt', 'tanh', 'erf', 'round']);
const all = batch * heads;
const wide = [rows, hidden];
const narrow = [rows, width];
/** @type {Case[]} */
const cases = [
  product('qkv', [1, rows, width], [1, width, 3 * width], false, false),
  product('qkv input gradient', [1, rows, 3 * width], [1, width, 3 * width], false, true),
  product('qkv weight gradient', [1, rows, width], [1, rows, 3 * width], true, false),
  product('mlp up', [1, rows, width], [1, width, hidden], false, false),
  product('mlp up input gradient', [1, rows, hidden], [1, width, hidden], false, true),
  product('mlp up weight gradient', [1, rows, width], [1, rows, hidden], true, false),
  product('mlp down', [1, rows, hidden], [1, hidden, width], false, false),
  product('mlp down weight gradient', [1, rows, hidden], [1, rows, width], true, false),
  product('scores', [all, length, head], [all, length, head], false, true),
  product('values', [all, length, length], [all, length, head], false, false),
  product('values gradient', [all, length, length], [all, length, head], true, false),
  product('probabilities gradient', [all, length, head], [all, length, head], false, true),
  ['add bias', [wide, [hidden]], (b, [x, y]) => b.add(x, y)],
  ['add', [wide, wide], (b, [x, y]) => b.add(x, y)],
  ['multiply by a scalar', [wide, []], (b, [x, y]) => b.multiply(x, y)],
  ['add 4 numbers', [[4], [4]], (b, [x, y]) => b.add(x, y)],
  ['maximum', [wide, wide], (b, [x, y]) => b.maximum(x, y)],
  ['greater', [wide, wide], (b, [x, y]) => b.greater(x, y)],
  ...unary.map((name) => /** @type {Case} */ ([name, [wide], (b, [x]) => b[name](x)])),
  ['sum over rows', [wide], (b, [x]) => b.sum(x, [0])],
  ['sum over columns', [wide], (b, [x]) => b.sum(x, [1])],
  ['sum of all', [wide], (b, [x]) => b.sum(x, [0, 1])],
  ['max over columns', [wide], (b, [x]) => b.max(x, [1])],
  ['transpose heads', [[batch, length, heads, head]], (b, [x]) => b.transpose(x, [0, 2, 1, 3])],
  ['transpose matrix', [narrow], (b, [x]) => b.transpose(x, [1, 0])],
  [
    'slice a third',
    [[batch, 3 * heads, length, head]],
    (b, [x]) => b.slice(x, [0, heads, 0, 0], [batch, heads, length, head]),
  ],
  ['pad to three thirds', [[batch, heads, length, head]], (b, [x]) => b.pad(x, [0, heads, 0, 0], [0, heads, 0, 0])],
  [
    'concatenate',
    [
      [batch, 1, width],
      [batch, length - 1, width],
    ],
    (b, xs) => b.concatenate(xs, 1),
  ],
  ['broadcast', [[1, 1, width]], (b, [x]) => b.broadcastTo(x, [batch, length, width])],
  ['softmax', [[all, length, length]], (b, [x]) => b.fused.softmax?.(x)],
  [
    'softmaxGradient',
    [
      [all, length, length],
      [all, length, length],
    ],
    (b, [x, y]) => b.fused.softmaxGradient?.(x, y),
  ],
  ['layerNorm', [narrow, [width], [width]], (b, [x, g, c]) => b.fused.layerNorm?.(x, g, c, 1e-5)],
  ['layerNormGradient', [narrow, [width], narrow], (b, [x, g, dy]) => b.fused.layerNormGradient?.(x, g, dy, 1e-5)],
  ['gelu', [wide], (b, [x]) => b.fused.gelu?.(x, 'none')],
  ['geluGradient', [wide, wide], (b, [x, dy]) => b.fused.geluGradient?.(x, dy, 'none')],
  ['gelu tanh', [wide], (b, [x]) => b.fused.gelu?.(x, 'tanh')],
  ['fakeQuantize along rows', [wide], (b, [x]) => b.fused.fakeQuantize?.(x, { ...quantization, axis: 1 })],
  ['fakeQuantize along columns', [wide], (b, [x]) => b.fused.fakeQuantize?.(x, { ...quantization, axis: 0 })],
  ['roundToBfloat16', [wide], (b, [x]) => b.fused.roundToBfloat16?.(x)],
  ['randomNormal 100k', [], (b) => b.randomNormal([1e5], key)],
  ['lmdDraw 100k', [[1e5], [1e5]], (b, [x, y]) => b.fused.lmdDraw?.(x, y, 0.1, key)],
  [
    'lmdUpdate 100k',
    Array.from({ length: 5 }, () => [1e5]),
    (b, [l, k, m, v, g]) =>
      b.fused.lmdUpdate?.({ logPlus: l, logMinus: k, momentumPlus: m, momentumMinus: v }, [g], [key], g, lmd),
  ],
  [
    'adamwUpdate 100k',
    Array.from({ length: 4 }, () => [1e5]),
    (b, [w, m, v, g]) =>
      b.fused.adamwUpdate?.({ weights: w, firstMoment: m, secondMoment: v }, g, {
        learningRate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.1,
        step: 5,
      }),
  ],
];

function milliseconds(run, repeats) {
  const before = process.cpuUsage();
  for (let i = 0; i < repeats; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

/** The minimum CPU time in milliseconds. */
function leastTime(run) {
  if (given.quick) return milliseconds(run, 1);
  for (let i = 0; i < 5; i++) run();
  let repeats = 1;
  let least = Infinity;
  for (let round = 0; round < 6; ) {
    const time = milliseconds(run, repeats);
    if (time < 15) repeats *= 2;
    else {
      least = Math.min(least, time / repeats);
      round++;
    }
  }
  return least;
}

for (const engine of positionals.length > 0 ? positionals : ['wasm']) {
  await tf.setBackend(engine);
  await tf.ready();
  const backend = createTfjsBackend(tf);
  console.error(backend.device);
  for (const [name, shapes, run, flops] of cases) {
    const tensors = shapes.map((shape) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() + 0.1);
      return backend.fromData(values, shape, 'f32');
    });
    const time = leastTime(() => {
      const result = run(backend, tensors);
      if (result === undefined) throw new Error(`${name} is missing.`);
      for (const x of tensorsOf(result)) backend.dispose(x);
    });
    if (flops === undefined) report(`${name}, ${engine}`, time, 'ms');
    else report(`${name}, ${engine}`, flops / time / 1e6, 'GFLOP/s');
    for (const x of tensors) backend.dispose(x);
  }
}
print(given.json);
