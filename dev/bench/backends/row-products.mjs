import { createOperations } from '@lmd/core';
import { formats, quantize } from '@lmd/mx-formats';
import { race, report } from '../lib/report.mjs';

/**
 * [name, terms, columns, whether weights are stored [columns, terms]] of the products of one row in generating text;
 * the vocabulary's matrix is that of the embedding.
 *
 * @typedef {[name: string, terms: number, columns: number, transposed: boolean]} Layer
 */

/** @type {Layer[]} */
const layers = [
  ['768 × 3072', 768, 3072, false],
  ['768 × 50257', 768, 50257, true],
];
/** @type {Layer[]} */
const smallLayers = [['64 × 96', 64, 96, true]];
/** Target share of the copy bandwidth. */
const targets = { dense: 0.8, packed: 0.6 };
/** Bytes that one product must read at least, so that weights come from memory as they do between two tokens. */
const beyondCaches = 2 ** 27;

/** Of a value in MXFP4, its share of the scale included. */
const packedBytes = 4.25 / 8;

/** A function that runs the next of some each time. */
const inTurn = (tasks) => {
  let next = 0;
  return () => tasks[next++ % tasks.length]();
};

/**
 * One row times a matrix of weights, in f32 and packed in MXFP4: the bytes of the weights in that time, as a fraction
 * of those that a copy moves. Several matrices take turns, which together are larger than the caches.
 */
export async function benchRowProducts({ cpu }, rounds, limits, quick) {
  const ops = createOperations(cpu);
  const format = formats.mxfp4_e2m1;
  for (const [name, terms, columns, transposed] of quick ? smallLayers : layers) {
    const values = Float32Array.from({ length: terms * columns }, () => Math.random() - 0.5);
    const x = ops.fromData(values.slice(0, terms), [1, terms]);
    const shape = transposed ? [columns, terms] : [terms, columns];
    const codes = quantize(values, { format, shape, axis: transposed ? 1 : 0 });
    const held = (bytes) => (quick ? 1 : Math.ceil(beyondCaches / bytes));
    const dense = Array.from({ length: held(4 * terms * columns) }, () => ops.fromData(values, shape));
    const packed = Array.from({ length: held(terms * columns * packedBytes) }, () => ops.packMatrix(codes));
    const sides = {
      dense: dense.map((matrix) => () => ops.dispose(ops.matmul(x, matrix, { transposeB: transposed }))),
      packed: packed.map((matrix) => () => ops.dispose(ops.packedMatmul(x, matrix))),
    };
    for (const [kind, products] of Object.entries(sides)) {
      const bytes = terms * columns * (kind === 'dense' ? 4 : packedBytes);
      const { time } = await race({ time: inTurn(products) }, Math.max(4 * rounds, 2 * products.length));
      const share = bytes / (time * 1e6) / limits.copy;
      const title = `one row times ${name}, weights in ${kind === 'dense' ? 'FP32' : 'MXFP4'}`;
      report(title, bytes / time / 1e6, 'GB/s', 'the copy bandwidth', share, targets[kind]);
    }
    ops.dispose(dense);
    for (const { tensors } of packed) ops.dispose(tensors);
    ops.dispose(x);
  }
}
