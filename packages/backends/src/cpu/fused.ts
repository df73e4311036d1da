import { type FloatTensor, type FusedKernels, type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { cpuAttention } from './attention.js';
import { cpuBlockCodes } from './block-codes.js';
import { cpuBlockProducts } from './block-products.js';
import { cpuCodedRows } from './coded-rows.js';
import { bfloat16 } from './elementwise.js';
import { fakeQuantize } from './fake-quantize.js';
import type { MemoryHost } from './memory-host.js';
import { cpuOptimizers } from './optimizers.js';
import { cpuPackedMatrices } from './packed-matrices.js';
import { normPartRows } from './wasm/numbers.js';

/** All fused kernels. */
export function cpuFused(host: MemoryHost, primitives: Primitives): FusedKernels {
  const { run, address, make } = host;
  const like = (x: Tensor, fill: (out: Tensor) => void) => make(x.shape, 'f32', fill);
  const widthOf = (x: Tensor) => x.shape.at(-1)!;
  const rowsOf = (x: Tensor) => sizeOf(x.shape.slice(0, -1));

  const attention = cpuAttention(host, primitives.matmul);

  return {
    ...attention,
    ...cpuCodedRows(host, { ...attention, slice: primitives.slice }),
    ...cpuOptimizers(host),
    ...cpuBlockCodes(host),
    ...cpuBlockProducts(host),
    ...cpuPackedMatrices(host, primitives.matmul),
    roundToBfloat16: (x) => bfloat16(host, x),

    softmax: (x) =>
      like(x, (out) => {
        const width = widthOf(x);
        const split = { total: rowsOf(x), cost: 1.5 * width };
        run('softmax', split, { x: address(x), out: address(out), width, height: 1, scale: 1, causal: false });
      }),
    softmaxGradient: (y, dy) =>
      like(y, (out) => {
        const width = widthOf(y);
        const split = { total: rowsOf(y), cost: width };
        run('softmaxGradient', split, { y: address(y), dy: address(dy), out: address(out), width, scale: 1 });
      }),

    layerNorm: (x, gain, bias, epsilon) =>
      like(x, (out) => {
        const split = { total: rowsOf(x), cost: 0.8 * widthOf(x) };
        run('layerNorm', split, {
          x: address(x),
          gain: address(gain),
          bias: address(bias),
          out: address(out),
          width: widthOf(x),
          epsilon,
        });
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
        {
          x: address(x),
          gain: address(gain),
          dy: address(dy),
          out: address(forX),
          totals: sums,
          scratch: address(scratch),
          rows,
          width,
          epsilon,
        },
      );
      const split = { total: width, unit: 16, cost: parts };
      const rest = { parts, partStride: 2 * padded, stride: 1 };
      run('addParts', split, { totals: sums, out: address(forGain), ...rest });
      run('addParts', split, { totals: sums + 8 * padded, out: address(forBias), ...rest });
      host.store.free(totals);
      host.store.free(scratch);
      return { x: forX, gain: forGain, bias: forBias };
    },

    gelu: (x, approximation) =>
      like(x, (out) => {
        const split = { total: sizeOf(x.shape), unit: 16, cost: 0.8 };
        run(approximation === 'none' ? 'geluExact' : 'geluTanh', split, { x: address(x), out: address(out) });
      }),
    geluGradient: (x, dy, approximation) =>
      like(x, (out) => {
        const split = { total: sizeOf(x.shape), unit: 16, cost: 1 };
        const kernel = approximation === 'none' ? 'geluExactGradient' : 'geluTanhGradient';
        run(kernel, split, { x: address(x), dy: address(dy), out: address(out) });
      }),

    crossEntropy: (logits, labels) =>
      make(labels.shape, 'f32', (out) => {
        const classes = widthOf(logits);
        const split = { total: rowsOf(logits), cost: 10 + classes };
        run('crossEntropy', split, { logits: address(logits), labels: address(labels), out: address(out), classes });
      }),
    crossEntropyGradient: (logits, labels, dy) =>
      like(logits, (out) => {
        const classes = widthOf(logits);
        const split = { total: rowsOf(logits), cost: 20 + 1.5 * classes };
        run('crossEntropyGradient', split, {
          logits: address(logits),
          labels: address(labels),
          dy: address(dy),
          out: address(out),
          classes,
        });
      }),

    fakeQuantize: (x, options) => fakeQuantize(host, x, options),
  };
}
