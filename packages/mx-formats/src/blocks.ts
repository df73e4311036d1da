import type { Extent, Plan } from './options.js';
import { philoxWords } from './philox.js';
import { encodeBlock, largestMagnitude, roundBlock, type Words, wordsOf } from './round-block.js';
import { nanScale, scaleByte } from './scale.js';
import { e4m3ScaleCode, e4m3ScaleValue, nanE4m3, reciprocalScale, totalScale } from './tensor-scale.js';

/** Where blocks of values go: rounded values, as float32 bits, or codes. */
export type Sink = Int32Array | Uint8Array;

/** Does one block: reads `source` and writes `target` at [start, end), and files the scale under `block`. */
export type BlockVisitor<Target extends Sink> = (
  source: Words,
  target: Target,
  start: number,
  end: number,
  block: number,
  random: Int32Array,
) => void;

/** The plan's blocks rounded and put back as float32 bits. */
export function roundVisitor(plan: Plan, tensorScale: number): BlockVisitor<Int32Array> {
  const { grid, rounding, scaleMode } = plan;
  const floatsOf = floatView();
  if (plan.format.scale === 'e8m0') {
    return (source, target, start, end, _, random) => {
      const byte = scaleByte(grid, scaleMode, largestMagnitude(source.bits, start, end));
      roundBlock(grid, rounding, byte, source, floatsOf(target), start, end, random);
    };
  }
  const scaled = wordsOf(new Float32Array(Math.min(plan.blockSize, plan.length)));
  return (source, target, start, end, _, random) => {
    const code = e4m3ScaleCode(grid, tensorScale, largestMagnitude(source.bits, start, end));
    if (code === nanE4m3) {
      target.fill(0x7fc00000, start, end);
      return;
    }
    const blockScale = e4m3ScaleValue(code);
    divide(source, start, end, tensorScale, blockScale, scaled);
    roundBlock(grid, rounding, 127, scaled, scaled, 0, end - start, random);
    const { floats } = floatsOf(target);
    const total = totalScale(tensorScale, blockScale);
    for (let i = start; i < end; i++) floats[i] = scaled.floats[i - start]! * total;
  };
}

/** The plan's blocks as codes, with their scales in `scales`. */
export function encodeVisitor(plan: Plan, tensorScale: number, scales: Uint8Array): BlockVisitor<Uint8Array> {
  const { grid, rounding, scaleMode } = plan;
  if (plan.format.scale === 'e8m0') {
    return (source, target, start, end, block, random) => {
      const byte = scaleByte(grid, scaleMode, largestMagnitude(source.bits, start, end));
      scales[block] = byte;
      encodeBlock(grid, rounding, byte, source, target, start, end, random);
    };
  }
  const scaled = wordsOf(new Float32Array(Math.min(plan.blockSize, plan.length)));
  const codes = new Uint8Array(scaled.bits.length);
  return (source, target, start, end, block, random) => {
    const code = e4m3ScaleCode(grid, tensorScale, largestMagnitude(source.bits, start, end));
    scales[block] = code;
    divide(source, start, end, tensorScale, e4m3ScaleValue(code), scaled);
    encodeBlock(grid, rounding, code === nanE4m3 ? nanScale : 127, scaled, codes, 0, end - start, random);
    for (let i = start; i < end; i++) target[i] = codes[i - start]!;
  };
}

/** Divides a block by its scale, in float32; an all-zero block, whose scale is 0, stays as it is. */
function divide(source: Words, start: number, end: number, tensorScale: number, blockScale: number, out: Words): void {
  const factor = blockScale === 0 ? 1 : reciprocalScale(tensorScale, blockScale);
  for (let i = start; i < end; i++) out.floats[i - start] = source.floats[i]! * factor;
}

/** Float views of the few arrays that a visitor writes, made once each. */
function floatView(): (bits: Int32Array) => Words {
  let last: Words | undefined;
  return (bits) => {
    if (last === undefined || last.bits !== bits) {
      last = { bits, floats: new Float32Array(bits.buffer, bits.byteOffset, bits.length) };
    }
    return last;
  };
}

/** Visits every block of a tensor. Blocks are numbered in the row-major order of the scales: [outer, blocks, inner]. */
export function visitBlocks<Target extends Sink>(
  plan: Plan,
  source: Words,
  target: Target,
  tileOf: (size: number) => Target,
  visit: BlockVisitor<Target>,
): void {
  if (plan.inner === 1) alongRows(plan, source, target, visit);
  else acrossRows(plan, source, target, tileOf, visit);
}

/** Blocks of consecutive memory. */
function alongRows<Target extends Sink>(plan: Plan, source: Words, target: Target, visit: BlockVisitor<Target>): void {
  const { key, rounding, outer, length, blockSize } = plan;
  const stochastic = rounding === 'stochastic';
  const random = new Int32Array(stochastic ? Math.min(blockSize, length) : 0);
  let block = 0;
  for (let row = 0; row < outer; row++) {
    const rowEnd = (row + 1) * length;
    for (let start = row * length; start < rowEnd; start += blockSize) {
      const end = Math.min(start + blockSize, rowEnd);
      if (stochastic) philoxWords(key!, start, end - start, random);
      visit(source, target, start, end, block++, random);
    }
  }
}

/**
 * Columns taken at once: a cache line of float32, so that a strided block costs no more memory traffic than its bytes.
 */
const tileWidth = 16;

/** Blocks with a stride: a tile of them is gathered into a small array, done there, and put in place. */
function acrossRows<Target extends Sink>(
  plan: Plan,
  source: Words,
  target: Target,
  tileOf: (size: number) => Target,
  visit: BlockVisitor<Target>,
): void {
  const { key, rounding, outer, length, inner, blockSize, blocks } = plan;
  const height = Math.min(blockSize, length);
  const tile = wordsOf(new Float32Array(tileWidth * height));
  const done = tileOf(tile.bits.length);
  const stochastic = rounding === 'stochastic';
  const rowRandom = new Int32Array(stochastic ? tileWidth : 0);
  const random = Array.from({ length: tileWidth }, () => new Int32Array(stochastic ? height : 0));
  for (let slab = 0; slab < outer; slab++) {
    for (let first = 0; first < length; first += blockSize) {
      const rows = Math.min(blockSize, length - first);
      for (let column = 0; column < inner; column += tileWidth) {
        const width = Math.min(tileWidth, inner - column);
        const origin = (slab * length + first) * inner + column;
        const block = (slab * blocks + first / blockSize) * inner + column;
        for (let row = 0; row < rows; row++) {
          const from = origin + row * inner;
          for (let j = 0; j < width; j++) tile.bits[j * rows + row] = source.bits[from + j]!;
          if (stochastic) {
            philoxWords(key!, from, width, rowRandom);
            for (let j = 0; j < width; j++) random[j]![row] = rowRandom[j]!;
          }
        }
        for (let j = 0; j < width; j++) visit(tile, done, j * rows, (j + 1) * rows, block + j, random[j]!);
        for (let row = 0; row < rows; row++) {
          const to = origin + row * inner;
          for (let j = 0; j < width; j++) target[to + j] = done[j * rows + row]!;
        }
      }
    }
  }
}

/**
 * For each block in turn, [outer, blocks, inner]: the first element, the step from one to the next, and how many there
 * are.
 */
export function forEachBlock(
  { outer, length, inner }: Extent,
  blockSize: number,
  visit: (block: number, start: number, step: number, count: number) => void,
): void {
  let block = 0;
  for (let slab = 0; slab < outer; slab++) {
    for (let first = 0; first < length; first += blockSize) {
      const count = Math.min(blockSize, length - first);
      for (let column = 0; column < inner; column++)
        visit(block++, (slab * length + first) * inner + column, inner, count);
    }
  }
}
