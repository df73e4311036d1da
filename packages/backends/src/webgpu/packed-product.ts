import type { ElementFormat } from '@lmd/core';
import type { Kernel } from './kernel.js';
import { codeLibrary, packedBlock } from './packed-matrix.js';

/** Rows of x up to which a product reads each weight once for all of them, as a product with a vector does. */
export const vectorRows = 4;

const shared = {
  inputs: { x: 'f32', codes: 'u32', scales: 'u32', table: 'f32' },
  outputs: { out: 'f32' },
  parameters: { rows: 'u32', columns: 'u32', depth: 'u32', row_blocks: 'u32', bits: 'u32' },
} as const;

/** 2^(byte − 127), or NaN. Below 2^-126 the result depends on whether the device has subnormals. */
const scaleLibrary = `${codeLibrary}
var<private> nan_scale: u32 = 0x7fc00000u;
fn scale_of(byte: u32) -> f32 {
  if (byte == 255u) { return bitcast<f32>(nan_scale); }
  return bitcast<f32>(select(byte << 23u, 0x00400000u, byte == 0u));
}
`;

const lanes = 64;

/** A workgroup makes up to four results of one row of weights; its threads share that row's blocks. */
export const packedVectorKernel: Kernel = {
  name: 'packedMatmul-vector',
  ...shared,
  code: `${scaleLibrary}
var<workgroup> partial: array<vec4<f32>, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = workgroup.y * workgroups.x + workgroup.x;
  if (column >= params.columns) { return; }
  var total = vec4<f32>();
  for (var b = lane; b < params.row_blocks; b += ${lanes}u) {
    let block = column * params.row_blocks + b;
    var sum = vec4<f32>();
    let first = b * ${packedBlock}u;
    let length = min(${packedBlock}u, params.depth - first);
    for (var j = 0u; j < length; j++) {
      let weight = table_at(code_at(block * params.bits, j, params.bits));
      for (var row = 0u; row < params.rows; row++) { sum[row] += weight * x_at(row * params.depth + first + j); }
    }
    total += sum * scale_of(byte_at(block));
  }
  partial[lane] = total;
  for (var width = ${lanes / 2}u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) { partial[lane] += partial[lane + width]; }
  }
  if (lane == 0u) {
    for (var row = 0u; row < params.rows; row++) { out_set(row * params.columns + column, partial[0][row]); }
  }
}`,
};

const tile = 32;
const threadsOfTile = 64;

/** Tiles of 32 × 32 results; of the weights a tile holds one block of 32 rows, decoded once for all of them. */
export const packedMatrixKernel: Kernel = {
  name: 'packedMatmul',
  ...shared,
  code: `${scaleLibrary}
var<workgroup> x_tile: array<array<f32, ${tile + 1}>, ${packedBlock}>;
var<workgroup> w_tile: array<array<f32, ${tile + 1}>, ${packedBlock}>;
@compute @workgroup_size(${threadsOfTile})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let column_tiles = (params.columns + ${tile - 1}u) / ${tile}u;
  let index = workgroup.y * workgroups.x + workgroup.x;
  let first_row = index / column_tiles * ${tile}u;
  let first_column = index % column_tiles * ${tile}u;
  if (first_row >= params.rows) { return; }
  let y = lane / 8u * 4u;
  let x = lane % 8u * 4u;
  var sums: array<vec4<f32>, 4>;
  for (var b = 0u; b < params.row_blocks; b++) {
    for (var j = 0u; j < ${(tile * packedBlock) / threadsOfTile}u; j++) {
      let place = lane + j * ${threadsOfTile}u;
      let inner = b * ${packedBlock}u + place % ${packedBlock}u;
      let row = first_row + place / ${packedBlock}u;
      var value = 0.0;
      if (row < params.rows && inner < params.depth) { value = x_at(row * params.depth + inner); }
      x_tile[place % ${packedBlock}u][place / ${packedBlock}u] = value;
    }
    let weight_row = lane % ${tile}u;
    let first = lane / ${tile}u * ${packedBlock / 2}u;
    let column = first_column + weight_row;
    var scale = 0.0;
    let block = column * params.row_blocks + b;
    if (column < params.columns) { scale = scale_of(byte_at(block)); }
    for (var j = first; j < first + ${packedBlock / 2}u; j++) {
      var value = 0.0;
      // The codes that pad a last block are zeros, but its scale may be NaN, as all of its block is.
      if (column < params.columns && b * ${packedBlock}u + j < params.depth) {
        value = table_at(code_at(block * params.bits, j, params.bits)) * scale;
      }
      w_tile[j][weight_row] = value;
    }
    workgroupBarrier();
    for (var inner = 0u; inner < ${packedBlock}u; inner++) {
      let w = vec4<f32>(w_tile[inner][x], w_tile[inner][x + 1u], w_tile[inner][x + 2u], w_tile[inner][x + 3u]);
      for (var r = 0u; r < 4u; r++) { sums[r] += x_tile[inner][y + r] * w; }
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < 4u; r++) {
    for (var c = 0u; c < 4u; c++) {
      let row = first_row + y + r;
      let column = first_column + x + c;
      if (row < params.rows && column < params.columns) { out_set(row * params.columns + column, sums[r][c]); }
    }
  }
}`,
};

/** Workgroups that a product takes. */
export function packedGroups(rows: number, columns: number): number {
  return rows <= vectorRows ? columns : Math.ceil(rows / tile) * Math.ceil(columns / tile);
}

/** The value of every code, before its block's scale. */
export function codeTable({
  kind,
  bits,
  mantissaBits,
  emin,
  hasNaN,
  hasInfinity,
  largest,
}: ElementFormat): Float32Array {
  const half = 2 ** (bits - 1);
  return Float32Array.from({ length: 2 * half }, (_, code) => {
    if (kind === 'int') return (code < half ? code : code - 2 * half) * 2 ** -mantissaBits;
    const magnitude = code % half;
    const field = Math.floor(magnitude / 2 ** mantissaBits);
    const mantissa = magnitude % 2 ** mantissaBits;
    const value =
      field === 0
        ? mantissa * 2 ** (emin - mantissaBits)
        : (2 ** mantissaBits + mantissa) * 2 ** (field - 1 + emin - mantissaBits);
    // Quantization writes no code beyond the largest finite one; what a file holds there is NaN or infinite.
    const special = hasInfinity && mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    const finite = value > largest && (hasNaN || hasInfinity) ? special : value;
    return code < half ? finite : -finite;
  });
}
