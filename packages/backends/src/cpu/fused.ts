import { type FloatTensor, type FusedKernels, type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { cpuAttention } from './attention.js';
import { cpuBlockCodes } from './block-codes.js';
import { cpuBlockProducts } from './block-products.js';
import { bfloat16 } from './elementwise.js';
import { fakeQuantize } from './fake-quantize.js';
import type { MemoryHost } from './memory-host.js';
import { cpuOptimizers } from './optimizers.js';
import { cpuPackedMatrices } from './packed-matrices.js';

/** Rows of one part of the layer norm's gradient; see `assembly/layer-norm.ts`. */
const normPartRows = 256;

/** All fused kernels. */
export function cpuFused(host: MemoryHost, primitives: Primitives): FusedKernels {
  const { run, address, make } = host;
  const like = (x: Tensor, fill: (out: Tensor) => void) => make(x.shape, 'f32', fill);
  const widthOf = (x: Tensor) => x.shape.at(-1)!;
  const rowsOf = (x: Tensor) => sizeOf(x.shape.slice(0, -1));

  return {
    ...cpuAttention(host, primitives.matmul),
    ...cpuOptimizers(host),
    ...cpuBlockCodes(host),
    ...cpuBlockProducts(host),
    ...cpuPackedMatrices(host, primitives.matmul),
    roundToBfloat16: (x) => bfloat16(host, x),

    softmax: (x) =>
      like(x, (out) => {
        const split = { total: rowsOf(x), cost: 1.5 * widthOf(x) };
        run('softmax', split, address(x), address(out), widthOf(x), 1, 1, false);
      }),
    softmaxGradient: (y, dy) =>
      like(y, (out) => {
        const split = { total: rowsOf(y), cost: widthOf(y) };
        run('softmaxGradient', split, address(y), address(dy), address(out), widthOf(y), 1);
      }),

    layerNorm: (x, gain, bias, epsilon) =>
      like(x, (out) => {
        const split = { total: rowsOf(x), cost: 0.8 * widthOf(x) };
        run('layerNorm', split, address(x), address(gain), address(bias), address(out), widthOf(x), epsilon);
      }),
    layerNormGradient(x, gain, dy, epsilon) {
      const [forX, forGain, forBias] = [x, gain, gain].map((one) => host.allocate(one.shape, 'f32')) as [
        FloatTensor,
        FloatTensor,
        FloatTensor,
      ];
      const [rows, width] = [rowsOf(x), widthOf(x)];
      const padded = Math.ceil(width / 4) * 4;
      const parts = Math.max(1, Math.ceil(rows / normPartRows));
      const totals = host.allocate([parts, 4, padded], 'f32');
      const scratch = host.allocate([parts, 2, padded], 'f32');
      const sums = address(totals);
      // Of no rows, there is still one part, whose sums are zeros.
      run(
        'layerNormGradient',
        { total: parts, cost: 2 * width * Math.min(rows, normPartRows) },
        address(x),
        address(gain),
        address(dy),
        address(forX),
        sums,
        address(scratch),
        rows,
        width,
        epsilon,
      );
      const split = { total: width, unit: 16, cost: parts };
      run('addParts', split, sums, address(forGain), parts, 2 * padded, 1);
      run('addParts', split, sums + 8 * padded, address(forBias), parts, 2 * padded, 1);
      host.store.free(totals);
      host.store.free(scratch);
      return { x: forX, gain: forGain, bias: forBias };
    },

    gelu: (x, approximation) =>
      like(x, (out) => {
        const split = { total: sizeOf(x.shape), unit: 16, cost: 0.8 };
        run(approximation === 'none' ? 'geluExact' : 'geluTanh', split, address(x), address(out));
      }),
    geluGradient: (x, dy, approximation) =>
      like(x, (out) => {
        const split = { total: sizeOf(x.shape), unit: 16, cost: 1 };
        const kernel = approximation === 'none' ? 'geluExactGradient' : 'geluTanhGradient';
        run(kernel, split, address(x), address(dy), address(out));
      }),

    crossEntropy: (logits, labels) =>
      make(labels.shape, 'f32', (out) => {
        const split = { total: rowsOf(logits), cost: 10 + widthOf(logits) };
        run('crossEntropy', split, address(logits), address(labels), address(out), widthOf(logits));
      }),
    crossEntropyGradient: (logits, labels, dy) =>
      like(logits, (out) => {
        const split = { total: rowsOf(logits), cost: 20 + 1.5 * widthOf(logits) };
        const classes = widthOf(logits);
        run('crossEntropyGradient', split, address(logits), address(labels), address(dy), address(out), classes);
      }),

    fakeQuantize: (x, options) => fakeQuantize(host, x, options),
  };
}
