import type { BlockFormat, Tensor } from '@lmd/core';
import type { Kernel } from './kernel.js';
import { microscalingLibrary, microscalingParameters } from './microscaling.js';
import { keyParameters } from './random.js';
import { perElement } from './wgsl.js';

/** Elements that share a scale: the block of OCP MX. A block's codes fill whole words: one a bit of the element. */
export const packedBlock = 32;

/**
 * A weight matrix whose elements are codes in device memory: 4.25, 6.25 or 8.25 bits each, against 32. Blocks run along
 * the contraction axis. Row r of the codes is the r-th of `outputs`; each row is padded to whole blocks with zeros.
 */
export interface PackedMatrix {
  readonly format: BlockFormat;
  /** Length of the contraction axis. */
  readonly inputs: number;
  /** Length of the other axis. */
  readonly outputs: number;
  /** The contraction axis of the matrix that was packed: 0 for [inputs, outputs], 1 for [outputs, inputs]. */
  readonly axis: 0 | 1;
  /** Bytes of codes and scales on the device. */
  readonly bytes: number;
  /**
   * 32-bit words of the dense little-endian bit stream, and E8M0 scales, four a word. Opaque handles of the backend.
   */
  readonly codes: Tensor;
  readonly scales: Tensor;
}

const layoutParameters = {
  count: 'u32',
  blocks: 'u32',
  row_blocks: 'u32',
  inputs: 'u32',
  row_step: 'u32',
  inner_step: 'u32',
  bits: 'u32',
} as const;

/** Four blocks a thread, whose scales fill one word: no two threads write to one word. */
export const packKernel: Kernel = {
  name: 'pack',
  inputs: { x: 'u32' },
  outputs: { codes: 'u32', scales: 'u32' },
  parameters: { ...layoutParameters, ...microscalingParameters, ...keyParameters },
  code: `${microscalingLibrary}${perElement(`
  var scales = 0u;
  for (var part = 0u; part < 4u; part++) {
    let block = 4u * i + part;
    if (block >= params.blocks) { break; }
    let first = block % params.row_blocks * ${packedBlock}u;
    let last = min(first + ${packedBlock}u, params.inputs);
    let start = block / params.row_blocks * params.row_step;
    var largest = 0u;
    for (var j = first; j < last; j++) { largest = max(largest, x_at(start + j * params.inner_step) & 0x7fffffffu); }
    let byte = scale_byte(largest);
    scales |= byte << (8u * part);
    var held = 0u;
    var held_bits = 0u;
    var word = block * params.bits;
    for (var j = first; j < first + ${packedBlock}u; j++) {
      var code = 0u;
      if (j < last && byte != NAN_SCALE) {
        let place = start + j * params.inner_step;
        let x = x_at(place);
        var random_word = 0u;
        if (params.rounding == 3u) {
          random_word = philox(params.stream, params.step, params.sample, place / 4u, params.seed_low, params.seed_high)[place & 3u];
        }
        code = code_of(x & 0x7fffffffu, byte, random_word);
        let negative = (x >> 31u) == 1u;
        if (params.integer == 1u) { code = select(code, (~code + 1u) & ((1u << params.bits) - 1u), negative); }
        else { code |= select(0u, 1u << (params.bits - 1u), negative); }
      }
      held |= code << held_bits;
      held_bits += params.bits;
      if (held_bits >= 32u) {
        codes_set(word, held);
        word++;
        held_bits -= 32u;
        held = code >> (params.bits - held_bits);
      }
    }
  }
  scales_set(i, scales);`)}`,
};

/** Code `j` of a block, whose codes begin at `start`. */
export const codeLibrary = `
fn code_at(start: u32, j: u32, bits: u32) -> u32 {
  let bit = j * bits;
  let word = start + bit / 32u;
  let shift = bit % 32u;
  var value = codes_at(word) >> shift;
  if (shift + bits > 32u) { value |= codes_at(word + 1u) << (32u - shift); }
  return value & ((1u << bits) - 1u);
}
fn byte_at(block: u32) -> u32 { return (scales_at(block / 4u) >> (8u * (block % 4u))) & 255u; }
`;

/** The values that the codes stand for, to the bit: one element of the matrix a thread. */
export const unpackKernel: Kernel = {
  name: 'unpack',
  inputs: { codes: 'u32', scales: 'u32' },
  outputs: { out: 'u32' },
  parameters: { ...layoutParameters, ...microscalingParameters },
  code: `${microscalingLibrary}${codeLibrary}${perElement(`
  let row = i / params.inputs;
  let inner = i % params.inputs;
  let block = row * params.row_blocks + inner / ${packedBlock}u;
  let byte = byte_at(block);
  let place = row * params.row_step + inner * params.inner_step;
  if (byte == NAN_SCALE) { out_set(place, 0x7fc00000u); return; }
  let code = code_at(block * params.bits, inner % ${packedBlock}u, params.bits);
  let half = 1u << (params.bits - 1u);
  let negative = code >= half;
  var magnitude = code & (half - 1u);
  if (params.integer == 1u && negative) { magnitude = 2u * half - code; }
  let bits = magnitude_of(magnitude, byte);
  out_set(place, bits | select(0u, 0x80000000u, negative && !(params.integer == 1u && bits == 0u)));`)}`,
};
