import { type FusedKernels, LmdError, sizeOf } from '@lmd/core';
import { checkFormatRecord } from '../checked-format.js';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { isCovered, microscalingLibrary, microscalingParameters, microscalingValues } from './microscaling.js';
import { keyParameters, keyValues } from './random.js';
import { perElement } from './wgsl.js';

/** A thread a block. Blocks along an inner axis are read by neighbouring threads word beside word. */
const kernel: Kernel = {
  name: 'fakeQuantize',
  inputs: { x: 'u32' },
  outputs: { out: 'u32' },
  parameters: {
    count: 'u32',
    length: 'u32',
    inner: 'u32',
    blocks: 'u32',
    block_size: 'u32',
    ...microscalingParameters,
    ...keyParameters,
  },
  code: `${microscalingLibrary}${perElement(`
  let column = i % params.inner;
  let block = i / params.inner % params.blocks;
  let outer = i / params.inner / params.blocks;
  let first = block * params.block_size;
  let last = min(first + params.block_size, params.length);
  let start = outer * params.length * params.inner + column;
  var largest = 0u;
  for (var j = first; j < last; j++) { largest = max(largest, x_at(start + j * params.inner) & 0x7fffffffu); }
  let byte = scale_byte(largest);
  var drawn = 0xffffffffu;
  var words = vec4<u32>();
  for (var j = first; j < last; j++) {
    let place = start + j * params.inner;
    if (byte == NAN_SCALE) { out_set(place, 0x7fc00000u); continue; }
    let x = x_at(place);
    if (params.rounding == 3u && place / 4u != drawn) {
      drawn = place / 4u;
      words = philox(params.stream, params.step, params.sample, drawn, params.seed_low, params.seed_high);
    }
    let magnitude = magnitude_of(code_of(x & 0x7fffffffu, byte, words[place & 3u]), byte);
    // Two's complement has no negative zero.
    let sign = select(x & 0x80000000u, 0u, params.integer == 1u && magnitude == 0u);
    out_set(place, magnitude | sign);
  }`)}`,
};

const noKey = { seed: 0, stream: 0, step: 0, sample: 0 };

/** Throws unless the kernels of this backend know the format. */
export function checkFormat(operation: string, format: Parameters<FusedKernels['fakeQuantize']>[1]['format']): void {
  if (isCovered(format.element, format.scale)) {
    checkFormatRecord(format);
    return;
  }
  throw new LmdError('UNSUPPORTED', `${operation}: the WebGPU backend does not know the format "${format.name}".`, {
    subject: 'format',
    value: format.name,
    remedy: 'Use a format with E8M0 scales, such as those of OCP MX, or the reference backend.',
  });
}

export function quantization({ make, runElements }: Context): Pick<FusedKernels, 'fakeQuantize'> {
  return {
    fakeQuantize(x, { format, axis, rounding, scaleMode, key = noKey }) {
      checkFormat('fakeQuantize', format);
      return make(x.shape, 'f32', (out) => {
        if (sizeOf(x.shape) === 0) return;
        const length = x.shape[axis]!;
        const inner = sizeOf(x.shape.slice(axis + 1));
        const blocks = Math.ceil(length / format.blockSize);
        const values = {
          length,
          inner,
          blocks,
          block_size: format.blockSize,
          ...microscalingValues(format.element, rounding, scaleMode),
          ...keyValues(key),
        };
        runElements(kernel, [x], [out], values, sizeOf(x.shape.slice(0, axis)) * blocks * inner);
      });
    },
  };
}
