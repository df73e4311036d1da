import { type FusedKernels, type Primitives, sizeOf, type Tensor } from '@lmd/core';
import { hostFused } from '../host/fused.js';
import { cpuAttention } from './attention.js';
import { bfloat16 } from './elementwise.js';
import type { MemoryHost } from './memory-host.js';
import { cpuOptimizers } from './optimizers.js';

/** All fused kernels: in WebAssembly, but for cross-entropy, whose rows are few, and formats, which `@lmd/mx-formats` rounds to. */
export function cpuFused(host: MemoryHost, primitives: Primitives): FusedKernels {
  const { kernels, address, make } = host;
  const like = (x: Tensor, fill: (out: Tensor) => void) => make(x.shape, 'f32', fill);
  const widthOf = (x: Tensor) => x.shape.at(-1)!;
  const rowsOf = (x: Tensor) => sizeOf(x.shape.slice(0, -1));

  return {
    ...hostFused(host),
    ...cpuAttention(host, primitives.matmul),
    ...cpuOptimizers(host),
    roundToBfloat16: (x) => bfloat16(host, x),

    softmax: (x) => like(x, (out) => kernels.softmax(address(x), address(out), rowsOf(x), widthOf(x), 1, 1, false)),
    softmaxGradient: (y, dy) =>
      like(y, (out) => kernels.softmaxGradient(address(y), address(dy), address(out), rowsOf(y), widthOf(y), 1)),

    layerNorm: (x, gain, bias, epsilon) =>
      like(x, (out) => {
        kernels.layerNorm(address(x), address(gain), address(bias), address(out), rowsOf(x), widthOf(x), epsilon);
      }),
    layerNormGradient(x, gain, dy, epsilon) {
      const [forX, forGain, forBias] = [x, gain, gain].map((one) => host.allocate(one.shape, 'f32')) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const scratch = host.allocate([6, Math.ceil(widthOf(x) / 4) * 4], 'f32');
      kernels.layerNormGradient(
        address(x),
        address(gain),
        address(dy),
        address(forX),
        address(forGain),
        address(forBias),
        address(scratch),
        rowsOf(x),
        widthOf(x),
        epsilon,
      );
      host.store.free(scratch);
      return { x: forX, gain: forGain, bias: forBias };
    },

    gelu: (x, approximation) =>
      like(x, (out) => {
        const kernel = approximation === 'none' ? kernels.geluExact : kernels.geluTanh;
        kernel(address(x), address(out), sizeOf(x.shape));
      }),
    geluGradient: (x, dy, approximation) =>
      like(x, (out) => {
        const kernel = approximation === 'none' ? kernels.geluExactGradient : kernels.geluTanhGradient;
        kernel(address(x), address(dy), address(out), sizeOf(x.shape));
      }),
  };
}
