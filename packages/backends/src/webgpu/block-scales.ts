import { type BlockFormat, type ElementFormat, LmdError, sizeOf, type Tensor } from '@lmd/core';
import { checkFormatRecord } from '../checked-format.js';
import type { Context } from './context.js';
import { floatBitsLibrary, floatPartsLibrary } from './float-bits.js';
import type { Kernel } from './kernel.js';
import { isCovered, microscalingLibrary } from './microscaling.js';
import { philoxLibrary } from './wgsl.js';

/** Kinds of block scales: powers of two, and E4M3 numbers beside one f32 scale of the whole tensor (NVFP4). */
export type ScaleKind = 'e8m0' | 'e4m3';
const scaleKinds: readonly ScaleKind[] = ['e8m0', 'e4m3'];

/**
 * Throws unless the kernels of this backend know the format.
 *
 * @param scales the kinds of scales that the operation knows
 */
export function checkFormat(operation: string, format: BlockFormat, scales: readonly string[] = scaleKinds): void {
  if (isCovered(format.element) && scales.includes(format.scale)) {
    checkFormatRecord(format);
    return;
  }
  throw new LmdError('UNSUPPORTED', `${operation}: the WebGPU backend does not support the format "${format.name}".`, {
    subject: 'format',
    value: format.name,
    remedy: `Use a format with ${scales.map((kind) => kind.toUpperCase()).join(' or ')} scales, or the reference backend.`,
  });
}

/** What kernels know of a scale, as a word: significand · 65536 + exponent + 1024. */
export const scaleWord = { exponentBias: 1024, nan: 0xffffffff } as const;

/**
 * The scale of a block and the elements under it, the same way for both kinds: `block_of` from the bits of the largest
 * magnitude, codes of magnitudes, magnitudes of codes, and the scale as a word. `e4m3` reads the tensor's scale by
 * `tensor_scale_at(0u)`.
 */
export function blockScaleLibrary(kind: ScaleKind): string {
  const shared = `${microscalingLibrary}
const NAN_WORD = ${scaleWord.nan}u;
fn word_of(significand: u32, exponent: i32) -> u32 { return (significand << 16u) | u32(exponent + ${scaleWord.exponentBias}); }
`;
  if (kind === 'e8m0') {
    return `${shared}
struct BlockScale { is_nan: bool, byte: u32 }
fn block_of(largest: u32) -> BlockScale {
  let byte = scale_byte(largest);
  return BlockScale(byte == NAN_SCALE, byte);
}
fn block_code(block: BlockScale, magnitude: u32, word: u32) -> u32 { return code_of(magnitude, block.byte, word); }
fn block_magnitude(block: BlockScale, code: u32) -> u32 { return magnitude_of(code, block.byte); }
fn block_word(block: BlockScale) -> u32 { return word_of(1u, i32(block.byte) - 127); }
`;
  }
  return `${shared}${floatBitsLibrary}
/** code: of E4M3; before and after: the f32 bits of what values, and elements, are multiplied by. */
struct BlockScale { is_nan: bool, code: u32, before: u32, after: u32 }
fn block_of(largest: u32) -> BlockScale {
  if (largest >= 0x7f800000u) { return BlockScale(true, 0u, 0u, 0u); }
  if (largest == 0u) { return BlockScale(false, 0u, 0x3f800000u, 0u); }
  let whole = tensor_scale_at(0u);
  // From 2^-6 to 448, the normal numbers of E4M3, where a code is the top of the f32 bits.
  let exact = clamp(quotient_bits(quotient_bits(largest, params.largest_element), whole), 0x3c800000u, 0x43e00000u);
  let top = (exact + 0x7ffffu + ((exact >> 20u) & 1u)) >> 20u;
  let value = top << 20u;
  let before = quotient_bits(quotient_bits(0x3f800000u, whole), value);
  return BlockScale(false, top - 960u, before, product_bits(whole, value));
}
fn block_code(block: BlockScale, magnitude: u32, word: u32) -> u32 {
  return code_of(product_bits(magnitude, block.before), 127u, word);
}
fn block_magnitude(block: BlockScale, code: u32) -> u32 { return product_bits(magnitude_of(code, 127u), block.after); }
fn block_word(block: BlockScale) -> u32 { return word_of(8u + (block.code & 7u), i32(block.code >> 3u) - 10); }
`;
}

/** What `blockScaleLibrary` reads beside the parameters of elements. */
export const blockScaleParameters = { largest_element: 'u32' } as const;

export function blockScaleValues({ largest }: ElementFormat) {
  return { largest_element: bitsOf(largest) };
}

function bitsOf(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0]!;
}

const lanes = 256;
/** Workgroups among which a large tensor is divided. */
const largestParts = 256;

const reduce = `
  found[lane] = largest;
  for (var width = ${lanes / 2}u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) { found[lane] = max(found[lane], found[lane + width]); }
  }`;

/** The largest finite magnitude of each part. */
const largestKernel: Kernel = {
  name: 'largestFinite',
  inputs: { x: 'u32' },
  outputs: { out: 'u32' },
  parameters: { elements: 'u32', parts: 'u32' },
  code: `
var<workgroup> found: array<u32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var largest = 0u;
  for (var i = workgroup.x * ${lanes}u + lane; i < params.elements; i += params.parts * ${lanes}u) {
    let magnitude = x_at(i) & 0x7fffffffu;
    if (magnitude < 0x7f800000u) { largest = max(largest, magnitude); }
  }
  ${reduce}
  if (lane == 0u) { out_set(workgroup.x, found[0]); }
}`,
};

/** The scale of a tensor from the largest magnitudes of its parts, as `@lmd/mx-formats` defines it. */
const tensorScaleKernel: Kernel = {
  name: 'tensorScale',
  inputs: { x: 'u32' },
  outputs: { out: 'u32' },
  parameters: { parts: 'u32', divisor: 'u32' },
  code: `${philoxLibrary}${floatPartsLibrary}${floatBitsLibrary}
var<workgroup> found: array<u32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  var largest = 0u;
  if (lane < params.parts) { largest = x_at(lane); }
  ${reduce}
  if (lane == 0u) {
    // From 2^-120 to 2^118, so that no product overflows.
    let scale = clamp(quotient_bits(found[0], params.divisor), 0x03800000u, 0x7a800000u);
    out_set(0u, select(scale, 0x3f800000u, found[0] == 0u));
  }
}`,
};

/** A scalar: the scale of `x` as a whole. */
export function tensorScaleOf({ make, run, store }: Context, x: Tensor, { largest }: ElementFormat): Tensor {
  const elements = sizeOf(x.shape);
  const parts = Math.min(largestParts, Math.ceil(elements / lanes));
  const partial = make([parts], 'i32', (out) => run(largestKernel, [x], [out], { elements, parts }, parts));
  try {
    const divisor = bitsOf(448 * largest);
    return make([], 'f32', (out) => run(tensorScaleKernel, [partial], [out], { parts, divisor }, 1));
  } finally {
    store.free(partial);
  }
}
