import { createOperations } from '@lmd/core';
import { formats, quantize } from '@lmd/mx-formats';
import { race, report } from '../lib/report.mjs';
import { beyondCaches } from './roofline.mjs';

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
/** Target share of the copy bandwidth, from memory. */
const targets = { FP32: 0.8, MXFP4: 0.6 };
/** Of packed weights; E2M3 of MXFP6. */
const packedFormats = { MXFP4: formats.mxfp4_e2m1, MXFP6: formats.mxfp6_e2m3, MXINT8: formats.mxint8 };
/** Bits of a value in a block format of 32, its share of the scale included. */
const bitsOf = ({ element }) => element.bits + 8 / 32;

/** A function that runs the next of some each time. */
const inTurn = (tasks) => {
  let next = 0;
  return () => tasks[next++ % tasks.length]();
};

/**
 * One row times a matrix of weights, in f32 and packed: the bytes of the weights in that time, as a fraction of those
 * that a copy from memory moves. Several matrices take turns, which together are larger than the caches.
 */
export async function benchRowProducts({ cpu }, rounds, limits, quick) {
  const ops = createOperations(cpu);
  for (const [name, terms, columns, transposed] of quick ? smallLayers : layers) {
    const values = Float32Array.from({ length: terms * columns }, () => Math.random() - 0.5);
    const x = ops.fromData(values.slice(0, terms), [1, terms]);
    const shape = transposed ? [columns, terms] : [terms, columns];
    const measure = async (label, bits, create, multiply, free) => {
      const bytes = (terms * columns * bits) / 8;
      const matrices = Array.from({ length: quick ? 1 : Math.ceil(beyondCaches / bytes) }, create);
      const products = matrices.map((matrix) => () => ops.dispose(multiply(matrix)));
      const { time } = await race({ time: inTurn(products) }, Math.max(4 * rounds, 2 * products.length));
      for (const matrix of matrices) free(matrix);
      const share = bytes / (time * 1e6) / limits.copyFromMemory;
      const title = `one row times ${name}, weights in ${label}`;
      report(title, bytes / time / 1e6, 'GB/s', 'the copy bandwidth of 128 MiB', share, targets[label]);
    };
    await measure(
      'FP32',
      32,
      () => ops.fromData(values, shape),
      (matrix) => ops.matmul(x, matrix, { transposeB: transposed }),
      (matrix) => ops.dispose(matrix),
    );
    for (const [label, format] of Object.entries(packedFormats)) {
      const codes = quantize(values, { format, shape, axis: transposed ? 1 : 0 });
      await measure(
        label,
        bitsOf(format),
        () => ops.packMatrix(codes),
        (matrix) => ops.packedMatmul(x, matrix),
        ({ tensors }) => ops.dispose(tensors),
      );
    }
    ops.dispose(x);
  }
}
