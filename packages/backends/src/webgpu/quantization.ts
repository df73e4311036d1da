import { type FusedKernels, sizeOf, type Tensor } from '@lmd/core';
import {
  blockScaleLibrary,
  blockScaleParameters,
  blockScaleValues,
  checkFormat,
  type ScaleKind,
  tensorScaleOf,
} from './block-scales.js';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { microscalingParameters, microscalingValues } from './microscaling.js';
import { keyParameters, keyValues } from './random.js';
import { perElement } from './wgsl.js';

type Options = Parameters<FusedKernels['fakeQuantize']>[1];

const parameters = {
  count: 'u32',
  length: 'u32',
  inner: 'u32',
  blocks: 'u32',
  block_size: 'u32',
  ...microscalingParameters,
  ...blockScaleParameters,
  ...keyParameters,
} as const;

/**
 * A kernel of a thread a block, of input `x`. Blocks along an inner axis are read by neighbouring threads word beside
 * word.
 *
 * @param element what becomes of the element at `place`, number `j` along its axis, from `code` without a sign and the
 *   bits `x`; in a block of NaN (`scale.is_nan`) the code is 0
 * @param begin what is done before the elements of the block
 * @param end what is done after the elements of the block
 */
export function blockKernel(
  scale: ScaleKind,
  kernel: Omit<Kernel, 'code' | 'inputs'>,
  { begin = '', element, end = '' }: { readonly begin?: string; readonly element: string; readonly end?: string },
): Kernel {
  return {
    ...kernel,
    name: `${kernel.name}-${scale}`,
    inputs: { x: 'u32', ...(scale === 'e4m3' ? { tensor_scale: 'u32' } : {}) },
    parameters: { ...parameters, ...kernel.parameters },
    code: `${blockScaleLibrary(scale)}${perElement(`
  let column = i % params.inner;
  let block = i / params.inner % params.blocks;
  let outer = i / params.inner / params.blocks;
  let first = block * params.block_size;
  let last = min(first + params.block_size, params.length);
  let start = outer * params.length * params.inner + column;
  var largest = 0u;
  for (var j = first; j < last; j++) { largest = max(largest, x_at(start + j * params.inner) & 0x7fffffffu); }
  let scale = block_of(largest);
  var drawn = 0xffffffffu;
  var words = vec4<u32>();
  ${begin}
  for (var j = first; j < last; j++) {
    let place = start + j * params.inner;
    let x = x_at(place);
    if (params.rounding == 3u && place / 4u != drawn) {
      drawn = place / 4u;
      words = philox(params.stream, params.step, params.sample, drawn, params.seed_low, params.seed_high);
    }
    var code = 0u;
    if (!scale.is_nan) { code = block_code(scale, x & 0x7fffffffu, words[place & 3u]); }
    ${element}
  }
  ${end}`)}`,
  };
}

const noKey = { seed: 0, stream: 0, step: 0, sample: 0 };

/** Runs a kernel of `blockKernel` on all blocks of `x`. */
export function runBlocks(
  { runElements }: Context,
  kernel: Kernel,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  { format, axis, rounding, scaleMode, key = noKey }: Options,
  own: { readonly [name: string]: number } = {},
): void {
  const { shape } = inputs[0]!;
  const length = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const blocks = Math.ceil(length / format.blockSize);
  const values = {
    length,
    inner,
    blocks,
    block_size: format.blockSize,
    ...microscalingValues(format.element, rounding, scaleMode),
    ...blockScaleValues(format.element),
    ...keyValues(key),
    ...own,
  };
  runElements(kernel, inputs, outputs, values, sizeOf(shape.slice(0, axis)) * blocks * inner);
}

const kernelOf = (scale: ScaleKind) =>
  blockKernel(
    scale,
    { name: 'fakeQuantize', outputs: { out: 'u32' }, parameters: {} },
    {
      element: `
    let magnitude = block_magnitude(scale, code);
    // Two's complement has no negative zero.
    let sign = select(x & 0x80000000u, 0u, params.integer == 1u && magnitude == 0u);
    out_set(place, select(magnitude | sign, 0x7fc00000u, scale.is_nan));`,
    },
  );

const kernels: Readonly<Record<ScaleKind, Kernel>> = { e8m0: kernelOf('e8m0'), e4m3: kernelOf('e4m3') };

export function quantization(context: Context): Pick<FusedKernels, 'fakeQuantize'> {
  const { make, store } = context;
  return {
    fakeQuantize(x, options) {
      const { format } = options;
      checkFormat('fakeQuantize', format);
      return make(x.shape, 'f32', (out) => {
        if (sizeOf(x.shape) === 0) return;
        const kernel = kernels[format.scale as ScaleKind];
        if (format.scale === 'e8m0') {
          runBlocks(context, kernel, [x], [out], options);
          return;
        }
        const whole = tensorScaleOf(context, x, format.element);
        runBlocks(context, kernel, [x, whole], [out], options);
        store.free(whole);
      });
    },
  };
}
