import { createOperations } from '@lmd/core';
import { formats } from '@lmd/mx-formats';
import { race, report } from '../lib/report.mjs';
import { tensorsOf } from './results.mjs';
import { lmdOptions } from './settings.mjs';

const key = { seed: 1, stream: 2, step: 3, sample: 4 };
/** Elements of a tensor: larger than any cache, or few with --quick. */
const sizeOf = (quick) => 2 ** (quick ? 12 : 23);
const width = 1024;
/** Bytes of which nothing stays in the caches from one round to the next. */
export const beyondCaches = 2 ** 27;

/** @type {Pick<Required<import('@lmd/core').FakeQuantizeOptions>, 'rounding' | 'scaleMode'>} */
const quantization = { rounding: 'nearestEven', scaleMode: 'floor' };
const adamw = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 5 };

/**
 * A kernel: its name, the number of tensors that it reads and writes, and its function. A kernel far from the copy
 * bandwidth is compute-bound.
 *
 * @typedef {[name: string, moved: number, run: import('./results.mjs').Run]} Kernel
 */

/** @type {Kernel[]} */
const kernels = [
  ['add', 3, (b, [x, y]) => b.add(x, y)],
  ['add, a row to each', 2, (b, [x, , row]) => b.add(x, row)],
  ['greater', 3, (b, [x, y]) => b.greater(x, y)],
  ['where', 4, (b, [x, y, , , , , condition]) => b.where(condition, x, y)],
  ['exp', 2, (b, [x]) => b.exp(x)],
  ['log', 2, (b, [x]) => b.log(x)],
  ['tanh', 2, (b, [x]) => b.tanh(x)],
  ['erf', 2, (b, [x]) => b.erf(x)],
  ['GELU', 2, (b, [x]) => b.fused.gelu(x, 'none')],
  ['GELU, gradient', 3, (b, [x, y]) => b.fused.geluGradient(x, y, 'none')],
  ['softmax', 2, (b, [x]) => b.fused.softmax(x)],
  ['softmax, gradient', 3, (b, [x, y]) => b.fused.softmaxGradient(x, y)],
  ['layer norm', 2, (b, [x, , row]) => b.fused.layerNorm(x, row, row, 1e-5)],
  ['layer norm, gradient', 3, (b, [x, y, row]) => b.fused.layerNormGradient(x, row, y, 1e-5)],
  ['cross-entropy', 1, (b, [x, , , labels]) => b.fused.crossEntropy(x, labels)],
  ['cross-entropy, gradient', 2, (b, [x, , , labels, dy]) => b.fused.crossEntropyGradient(x, labels, dy)],
  ['sum over rows', 1, (b, [x]) => b.sum(x, [0])],
  ['sum over columns', 1, (b, [x]) => b.sum(x, [1])],
  ['sum of all', 1, (b, [x]) => b.sum(x, [0, 1])],
  ['transpose', 2, (b, [x]) => b.transpose(x, [1, 0])],
  ['gather rows', 2, (b, [x, , , labels]) => b.gather(x, labels)],
  ['random normal', 1, (b, [x]) => b.randomNormal(x.shape, key)],
  ['round to BF16', 2, (b, [x]) => b.fused.roundToBfloat16(x)],
  ...[formats.mxfp8_e4m3, formats.mxfp6_e3m2, formats.mxfp4_e2m1, formats.mxint8, formats.nvfp4].flatMap((format) => {
    const options = { ...quantization, format };
    return /** @type {Kernel[]} */ ([
      [`fakeQuantize ${format.name}, rows`, 2, (b, [x]) => b.fused.fakeQuantize(x, { ...options, axis: 1 })],
      [`fakeQuantize ${format.name}, columns`, 2, (b, [x]) => b.fused.fakeQuantize(x, { ...options, axis: 0 })],
    ]);
  }),
  [
    'fakeQuantize mxfp6_e3m2, stochastic',
    2,
    (b, [x]) =>
      b.fused.fakeQuantize(x, { ...quantization, format: formats.mxfp6_e3m2, rounding: 'stochastic', axis: 1, key }),
  ],
  ['LMD, draw', 3, (b, [x, y]) => b.fused.lmdDraw(x, y, 0.05, key)],
  [
    'LMD, update',
    9,
    (b, [x, y, , , , prior]) =>
      b.fused.lmdUpdate({ logPlus: x, logMinus: y, momentumPlus: x, momentumMinus: y }, [x], [key], prior, lmdOptions),
  ],
  ['AdamW, update', 7, (b, [x, y]) => b.fused.adamwUpdate({ weights: x, firstMoment: x, secondMoment: y }, x, adamw)],
];

const freeAll = (backend, result) => {
  for (const tensor of tensorsOf(result)) backend.dispose(tensor);
};

/**
 * The limits of the machine: bytes per nanosecond read and written by a copy, and operations per nanosecond of a
 * product whose operands stay in the caches.
 */
export async function measureLimits({ cpu }, rounds, quick) {
  const size = sizeOf(quick);
  const ops = createOperations(cpu);
  const source = ops.full([size], 1);
  const large = ops.full([quick ? size : beyondCaches / 4], 1);
  const [a, b] = [ops.randomNormal([1, 1008, 256], key), ops.randomNormal([1, 256, 512], key)];
  const { copy, copyFromMemory, product } = await race(
    {
      copy: () => cpu.dispose(cpu.concatenate([source], 0)),
      copyFromMemory: () => cpu.dispose(cpu.concatenate([large], 0)),
      product: () => cpu.dispose(cpu.matmul(a, b, false, false)),
    },
    3 * rounds,
  );
  const moved = 2 * 4 * large.shape[0];
  ops.dispose([source, large, a, b]);
  const limits = {
    copy: (2 * 4 * size) / copy / 1e6,
    copyFromMemory: moved / copyFromMemory / 1e6,
    product: (2 * 1008 * 256 * 512) / product / 1e6,
  };
  report('a copy', limits.copy, 'GB/s');
  report('a copy of 128 MiB', limits.copyFromMemory, 'GB/s');
  report('a product of matrices in the cache', limits.product, 'GFLOP/s');
  return limits;
}

/** Memory traffic of every kernel on large tensors, as a fraction of that of a copy in the same time. */
export async function benchRoofline({ cpu }, rounds, limits, quick) {
  const size = sizeOf(quick);
  const rows = size / width;
  const ops = createOperations(cpu);
  const tensors = [
    ops.add(ops.absolute(ops.randomNormal([rows, width], key)), 0.1),
    ops.add(ops.absolute(ops.randomNormal([rows, width], { ...key, stream: 9 })), 0.1),
    ops.randomUniform([width], key),
    ops.fromData(Int32Array.from({ length: rows }, (_, i) => (i * 7) % Math.min(rows, width))),
    ops.randomUniform([rows], key),
    ops.full([], -3),
  ];
  tensors.push(ops.greater(tensors[0], tensors[1]));
  for (const [name, moved, run] of kernels) {
    const task = () => run(cpu, tensors);
    const { time } = await race({ time: () => freeAll(cpu, task()) }, rounds);
    const share = (moved * 4 * size) / (time * 1e6) / limits.copy;
    report(`${name}, 2^${Math.log2(size)}`, time, 'ms', 'the copy bandwidth', share);
  }
  ops.dispose(tensors);
}
