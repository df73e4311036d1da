import { type Primitives, sizeOf } from '@lmd/core';
import type { Context } from './context.js';
import type { Kernel } from './kernel.js';
import { tileOfWorkgroup } from './wgsl.js';

/** Elements of the contraction axis that a workgroup holds at a time. */
const depth = 16;
/** Results of one thread along each axis. */
const perThread = 4;

/**
 * Tiles of both operands go through workgroup memory, and each thread sums a 4 × 4 piece of the result in registers.
 * Which way an operand is stored is in its strides, so one pipeline serves all four cases.
 *
 * @param side threads along one side of a workgroup: 16 for large results, 8 where that would leave most threads idle
 */
function matmulKernel(side: 8 | 16): Kernel {
  const tile = side * perThread;
  const loads = (tile * depth) / (side * side);
  const each = (body: (i: number) => string) => Array.from({ length: perThread }, (_, i) => body(i)).join(' ');
  /** Fills a tile so that neighbouring threads read neighbouring words, whichever axis is contiguous. */
  const load = (name: string, extent: string) => `
    for (var j = 0u; j < ${loads}u; j++) {
      let place = lane + j * ${side * side}u;
      var along = place % ${depth}u;
      var across = place / ${depth}u;
      if (params.${name}_step == 1u) { across = place % ${tile}u; along = place / ${tile}u; }
      let row = ${name}_first + across;
      let inner = k + along;
      var value = 0.0;
      if (row < params.${extent} && inner < params.depth) {
        value = ${name}_at(${name}_start + row * params.${name}_step + inner * params.${name}_inner);
      }
      ${name}_tile[along][across] = value;
    }`;
  return {
    name: `matmul-${tile}`,
    inputs: { a: 'f32', b: 'f32' },
    outputs: { out: 'f32' },
    parameters: {
      rows: 'u32',
      columns: 'u32',
      depth: 'u32',
      batch: 'u32',
      a_step: 'u32',
      a_inner: 'u32',
      a_batch: 'u32',
      b_step: 'u32',
      b_inner: 'u32',
      b_batch: 'u32',
    },
    code: `
var<workgroup> a_tile: array<array<f32, ${tile + 1}>, ${depth}>;
var<workgroup> b_tile: array<array<f32, ${tile + 1}>, ${depth}>;
@compute @workgroup_size(${side * side})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
${tileOfWorkgroup(tile)}  let a_start = matrix * params.a_batch;
  let b_start = matrix * params.b_batch;
  let y = lane / ${side}u * ${perThread}u;
  let x = lane % ${side}u * ${perThread}u;
  ${each((i) => `var sum${i} = vec4<f32>();`)}
  for (var k = 0u; k < params.depth; k += ${depth}u) {
    ${load('a', 'rows')}
    ${load('b', 'columns')}
    workgroupBarrier();
    for (var inner = 0u; inner < ${depth}u; inner++) {
      let b = vec4<f32>(${Array.from({ length: 4 }, (_, i) => `b_tile[inner][x + ${i}u]`).join(', ')});
      ${each((i) => `sum${i} += a_tile[inner][y + ${i}u] * b;`)}
    }
    workgroupBarrier();
  }
  let out_start = matrix * params.rows * params.columns;
  ${each(
    (i) => `
  if (a_first + y + ${i}u < params.rows) {
    let start = out_start + (a_first + y + ${i}u) * params.columns + b_first + x;
    for (var j = 0u; j < 4u; j++) {
      if (b_first + x + j < params.columns) { out_set(start + j, sum${i}[j]); }
    }
  }`,
  )}
}`,
  };
}

const kernels = { 8: matmulKernel(8), 16: matmulKernel(16) };

export function matmul({ make, run }: Context): Primitives['matmul'] {
  return (a, b, transposeA, transposeB) => {
    let batch = a.shape[0] === 1 ? b.shape[0]! : a.shape[0]!;
    const k = a.shape[transposeA ? 1 : 2]!;
    let m = a.shape[transposeA ? 2 : 1]!;
    const n = b.shape[transposeB ? 1 : 2]!;
    return make([batch, m, n], 'f32', (out) => {
      if (sizeOf(out.shape) === 0) return;
      // A right operand that all share makes the batch more rows of one product, unless each left operand is turned.
      if (b.shape[0] === 1 && !transposeA) {
        m *= batch;
        batch = 1;
      }
      const values = {
        rows: m,
        columns: n,
        depth: k,
        batch,
        a_step: transposeA ? 1 : k,
        a_inner: transposeA ? m : 1,
        a_batch: a.shape[0] === 1 ? 0 : m * k,
        b_step: transposeB ? k : 1,
        b_inner: transposeB ? 1 : n,
        b_batch: b.shape[0] === 1 ? 0 : k * n,
      };
      const side = m > 32 && n > 32 ? 16 : 8;
      const tile = side * perThread;
      run(kernels[side], [a, b], [out], values, batch * Math.ceil(m / tile) * Math.ceil(n / tile));
    });
  };
}
