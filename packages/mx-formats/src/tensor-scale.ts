import { decodeTable } from './element-codes.js';
import { e4m3 } from './element-formats.js';
import { type Grid, gridOfElement } from './grid.js';
import { largestTensorScale, type Plan, smallestTensorScale } from './options.js';
import { encodeBlock, type Words, wordsOf } from './round-block.js';
import { infinityBits } from './scale.js';

/** The E4M3 code of NaN: the scale of a block that holds a NaN or an infinity. */
export const nanE4m3 = 0x7f;

const smallestScale = 2 ** -6;
const scratch = wordsOf(new Float32Array(1));
const scratchCode = new Uint8Array(1);
const noWords = new Int32Array(0);

/**
 * The FP32 scale of a tensor whose blocks have E4M3 scales: the largest finite magnitude / (448 · the element's
 * largest), as in torchao's `per_tensor_amax_to_scale`; held to [2^-120, 2^118], where no product overflows, and 1
 * where all is zero. All arithmetic is in float32.
 */
export function tensorScaleOf({ grid, tensorScale }: Plan, { bits }: Words): number {
  if (tensorScale !== undefined) return tensorScale;
  let largest = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude > largest && magnitude < infinityBits) largest = magnitude;
  }
  return tensorScaleFor(grid, largest);
}

/** As `tensorScaleOf`, from the float32 bits of the largest finite magnitude. */
export function tensorScaleFor({ largest }: Grid, maximum: number): number {
  if (maximum === 0) return 1;
  scratch.bits[0] = maximum;
  const scale = Math.fround(scratch.floats[0]! / Math.fround(448 * largest));
  return Math.min(Math.max(scale, smallestTensorScale), largestTensorScale);
}

/**
 * The E4M3 code of a block's scale from the float32 bits of its largest magnitude: A / largest / tensor scale, held to
 * [2^-6, 448] and rounded to nearest, ties to even, as in torchao's `nvfp4_quantize`; 0 for an all-zero block.
 */
export function e4m3ScaleCode({ largest }: Grid, tensorScale: number, maximum: number): number {
  if (maximum >= infinityBits) return nanE4m3;
  if (maximum === 0) return 0;
  scratch.bits[0] = maximum;
  const scale = Math.fround(Math.fround(scratch.floats[0]! / largest) / tensorScale);
  scratch.floats[0] = Math.min(Math.max(scale, smallestScale), e4m3.largest);
  encodeBlock(gridOfElement(e4m3), 'nearestEven', 127, scratch, scratchCode, 0, 1, noWords);
  return scratchCode[0]!;
}

/** The float32 value of an E4M3 scale code. */
export function e4m3ScaleValue(code: number): number {
  scratch.bits[0] = decodeTable(e4m3)[code]!;
  return scratch.floats[0]!;
}

/** What values are multiplied by before they are rounded to elements, in float32. */
export function reciprocalScale(tensorScale: number, blockScale: number): number {
  return Math.fround(Math.fround(1 / tensorScale) / blockScale);
}

/** What elements are multiplied by, in float32. */
export function totalScale(tensorScale: number, blockScale: number): number {
  return Math.fround(tensorScale * blockScale);
}
