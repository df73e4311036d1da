import { decodeTable } from '../element-codes.js';
import type { Grid } from '../grid.js';
import type { Plan } from '../options.js';
import { packedLength, unpack } from '../pack.js';
import type { RandomKey } from '../philox.js';
import { wordsOf } from '../round-block.js';
import { scaleValues, upAbove } from '../scale.js';
import type { CheckedTensor, MxTensor } from '../tensor.js';
import { e4m3ScaleValue, tensorScaleFor, totalScale } from '../tensor-scale.js';
import { addresses, capacity, type WasmInstance, wasmInstance } from './instance.js';
import { RoundingNumber } from './numbers.js';
import { divide, type Piece } from './pieces.js';

const { source, target, words, codes, packed, scales, table, scaleTable } = addresses;

/** `fakeQuantize` by WebAssembly: false where it cannot, and nothing is done. */
export function wasmFakeQuantize(plan: Plan, values: Float32Array, out: Float32Array): boolean {
  const wasm = wasmInstance();
  const division = divide(plan, plan.blockSize, plan.blocks);
  if (wasm === undefined || division === undefined) return false;
  configure(wasm, plan, wasmTensorScale(wasm, plan, values));
  const kernel = division.columns ? wasm.exports.roundColumns : wasm.exports.roundRows;
  for (const piece of division.pieces) {
    const { rows, width, repeat } = piece;
    copyIn(wasm, piece, values);
    const random = makeWords(wasm, plan.key, plan.rounding === 'stochastic', piece);
    for (let i = 0; i < repeat; i++) {
      const at = i * rows * width * 4;
      kernel(source + at, target + at, random + at, rows, width);
    }
    copyOut(wasm, piece, out);
  }
  return true;
}

/** `quantize` by WebAssembly: codes, packed, and scales; `undefined` where it cannot. */
export function wasmQuantize(
  plan: Plan,
  values: Float32Array,
): { scales: Uint8Array; codes: Uint8Array; tensorScale: number } | undefined {
  const wasm = wasmInstance();
  const division = divide(plan, plan.blockSize, plan.blocks);
  if (wasm === undefined || division === undefined) return undefined;
  const { exports, bytes } = wasm;
  const { bits } = plan.grid.element;
  const tensorScale = wasmTensorScale(wasm, plan, values);
  configure(wasm, plan, tensorScale);
  const allScales = new Uint8Array(plan.outer * plan.blocks * plan.inner);
  const inPlace = bits < 8 && division.aligned;
  const out = new Uint8Array(inPlace ? packedLength(values.length, bits) : values.length);
  for (const piece of division.pieces) {
    const { rows, width, repeat, start, block, blocks } = piece;
    copyIn(wasm, piece, values);
    const random = makeWords(wasm, plan.key, plan.rounding === 'stochastic', piece);
    for (let i = 0; i < repeat; i++) {
      const at = i * rows * width;
      const from = source + at * 4;
      if (division.columns) {
        exports.encodeColumns(from, codes + at, scales + i * width, random + at * 4, rows, width);
      } else exports.encodeRows(from, codes, scales, random, rows, width);
    }
    allScales.set(bytes.subarray(scales, scales + blocks), block);
    const count = repeat * rows * width;
    if (inPlace) {
      exports.packCodes(codes, packed, bits, count);
      out.set(bytes.subarray(packed, packed + packedLength(count, bits)), (start * bits) / 8);
    } else eachRun(piece, (at, to, size) => out.set(bytes.subarray(codes + at, codes + at + size), to));
  }
  return { scales: allScales, codes: inPlace || bits === 8 ? out : wasmPack(wasm, out, bits), tensorScale };
}

/** `dequantize` by WebAssembly: false where it cannot, and nothing is done. The tensor is a checked one. */
export function wasmDequantize(
  checked: CheckedTensor,
  tensor: Pick<MxTensor, 'codes' | 'scales' | 'tensorScale'>,
  out: Float32Array,
): boolean {
  const wasm = wasmInstance();
  const division = divide(checked, checked.blockSize, checked.blocks);
  if (wasm === undefined || division === undefined) return false;
  const { exports, bytes } = wasm;
  const { bits } = checked.format.element;
  configureElement(wasm, checked.grid);
  exports.configureBlocks(0, 0, checked.blockSize, checked.format.scale !== 'e8m0', tensor.tensorScale);
  wasm.words.set(decodeTable(checked.format.element), table / 4);
  wasm.floats.set(scaleFactors(checked.format.scale, tensor.tensorScale), scaleTable / 4);
  const inPlace = bits < 8 && division.aligned;
  const from = inPlace || bits === 8 ? tensor.codes : unpack(tensor.codes, bits, checked.count);
  for (const piece of division.pieces) {
    const { rows, width, repeat, start, block, blocks } = piece;
    const count = repeat * rows * width;
    if (inPlace) {
      const first = (start * bits) / 8;
      bytes.set(from.subarray(first, first + packedLength(count, bits)), packed);
      exports.unpackCodes(packed, codes, bits, count);
    } else eachRun(piece, (at, first, size) => bytes.set(from.subarray(first, first + size), codes + at));
    bytes.set(tensor.scales.subarray(block, block + blocks), scales);
    for (let i = 0; i < repeat; i++) {
      const at = i * rows * width;
      const to = target + at * 4;
      if (division.columns) {
        exports.decodeColumns(codes + at, scales + i * width, to, table, scaleTable, rows, width);
      } else exports.decodeRows(codes, scales, to, table, scaleTable, rows, width);
    }
    copyOut(wasm, piece, out);
  }
  return true;
}

function wasmTensorScale({ exports, floats }: WasmInstance, plan: Plan, values: Float32Array): number {
  if (plan.format.scale === 'e8m0') return 1;
  if (plan.tensorScale !== undefined) return plan.tensorScale;
  const size = 8192;
  let largest = 0;
  for (let start = 0; start < values.length; start += size) {
    const part = values.subarray(start, start + size);
    floats.set(part, source / 4);
    largest = Math.max(largest, exports.largestFinite(source, part.length));
  }
  return tensorScaleFor(plan.grid, largest);
}

function configureElement({ exports }: WasmInstance, grid: Grid): void {
  const { kind, bits, bias, emin, emax, mantissaBits, hasNaN, largest } = grid.element;
  exports.configureElement(
    bits,
    grid.significantBits,
    emin,
    emax,
    bias,
    wordsOf(Float32Array.of(largest)).bits[0]!,
    grid.largestCode,
    kind === 'int',
    2 ** -mantissaBits,
    hasNaN,
  );
}

function configure(
  wasm: WasmInstance,
  { grid, format, scaleMode, rounding, blockSize }: Plan,
  tensorScale: number,
): void {
  configureElement(wasm, grid);
  const e4m3 = format.scale !== 'e8m0';
  wasm.exports.configureBlocks(upAbove(grid, scaleMode), RoundingNumber[rounding], blockSize, e4m3, tensorScale);
}

function scaleFactors(kind: string, tensorScale: number): Float32Array {
  if (kind === 'e8m0') return new Float32Array(scaleValues);
  return Float32Array.from({ length: 256 }, (_, code) => totalScale(tensorScale, e4m3ScaleValue(code)));
}

/** Writes the random words of a piece for stochastic rounding and returns the address of the first. */
function makeWords(wasm: WasmInstance, key: RandomKey | undefined, isStochastic: boolean, piece: Piece): number {
  if (!isStochastic) return words;
  const { seed, stream, step, sample } = key!;
  const { start, rows, width, stride, repeat } = piece;
  const fill = (address: number, first: number, count: number): number => {
    const group = Math.floor(first / 4);
    const lane = first - group * 4;
    const groups = Math.ceil((lane + count) / 4);
    wasm.exports.philoxGroups(address, groups, group, stream, step, sample, seed, Math.floor(seed / 2 ** 32));
    return address + lane * 4;
  };
  if (width === stride) return fill(words, start, repeat * rows * width);
  for (let row = 0; row < rows; row++) {
    const from = fill(target, start + row * stride, width) / 4;
    wasm.words.copyWithin(words / 4 + row * width, from, from + width);
  }
  return words;
}

function copyIn({ floats }: WasmInstance, piece: Piece, values: Float32Array): void {
  eachRun(piece, (at, first, size) => floats.set(values.subarray(first, first + size), source / 4 + at));
}

function copyOut({ floats }: WasmInstance, piece: Piece, out: Float32Array): void {
  eachRun(piece, (at, to, size) => out.set(floats.subarray(target / 4 + at, target / 4 + at + size), to));
}

/** Calls `copy(where in the piece, where in the tensor, how many)` for each run of consecutive elements. */
function eachRun(piece: Piece, copy: (at: number, element: number, count: number) => void): void {
  const { start, rows, width, stride, repeat } = piece;
  if (width === stride) copy(0, start, repeat * rows * width);
  else for (let row = 0; row < rows; row++) copy(row * width, start + row * stride, width);
}

/** Packs codes by tiles. */
function wasmPack({ exports, bytes }: WasmInstance, all: Uint8Array, bits: number): Uint8Array {
  const out = new Uint8Array(packedLength(all.length, bits));
  const size = Math.min(capacity, 1 << 15);
  for (let start = 0; start < all.length; start += size) {
    const part = all.subarray(start, start + size);
    bytes.set(part, codes);
    exports.packCodes(codes, packed, bits, part.length);
    out.set(bytes.subarray(packed, packed + packedLength(part.length, bits)), (start * bits) / 8);
  }
  return out;
}
