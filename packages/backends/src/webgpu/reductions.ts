import { type FloatTensor, type Primitives, sizeOf } from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { stridesOf, withoutAxes } from '../strided-offsets.js';
import type { Context } from './context.js';
import type { Kernel, WordType } from './kernel.js';
import { bitsLibrary, perElement } from './wgsl.js';

type Reductions = Pick<Primitives, 'sum' | 'max' | 'argMax'>;

/** Terms that one thread adds up by itself; beyond it a workgroup shares them, unless there are many results. */
const serialTerms = 64;
const serialResults = 8192;
const lanes = 64;

interface Rule {
  readonly name: string;
  readonly type: WordType;
  readonly library: string;
  readonly start: string;
  readonly join: (a: string, b: string) => string;
}

const sumRule = (type: 'f32' | 'i32'): Rule => ({
  name: `sum-${type}`,
  type,
  library: '',
  start: `${type}(0)`,
  join: (a, b) => `${a} + ${b}`,
});

const maxRules: Record<'f32' | 'i32', Rule> = {
  f32: {
    name: 'max-f32',
    type: 'f32',
    library: `${bitsLibrary}
fn larger(a: f32, b: f32) -> f32 { if (is_nan(a)) { return a; } if (is_nan(b)) { return b; } return select(b, a, a > b); }`,
    start: '-infinity()',
    join: (a, b) => `larger(${a}, ${b})`,
  },
  i32: { name: 'max-i32', type: 'i32', library: '', start: 'i32(-2147483647) - 1', join: (a, b) => `max(${a}, ${b})` },
};
const sumRules = { f32: sumRule('f32'), i32: sumRule('i32') };

const parameters = {
  count: 'u32',
  terms: 'u32',
  kept_rank: 'u32',
  rank: 'u32',
  kept_extents: 'u32x8',
  kept_strides: 'u32x8',
  extents: 'u32x8',
  strides: 'u32x8',
} as const;

/** Offsets from an index of the kept axes, and from one of the reduced axes. */
const offsets = ['kept_', ''].map(
  (part) => `
fn ${part}offset(index: u32) -> u32 {
  var rest = index;
  var at = 0u;
  for (var d = params.${part}rank; d > 0u; d--) {
    let row = (d - 1u) >> 2u;
    let column = (d - 1u) & 3u;
    let extent = params.${part}extents[row][column];
    at += (rest % extent) * params.${part}strides[row][column];
    rest = rest / extent;
  }
  return at;
}`,
);

const kernels = new Map<string, Kernel>();

function kernelOf(rule: Rule, shared: boolean): Kernel {
  const name = `${rule.name}${shared ? '-shared' : ''}`;
  let kernel = kernels.get(name);
  if (kernel !== undefined) return kernel;
  const library = rule.library + offsets.join('');
  const code = shared
    ? `${library}
var<workgroup> partial: array<${rule.type}, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.y * workgroups.x + workgroup.x;
  if (i >= params.count) { return; }
  let start = kept_offset(i);
  var total = ${rule.start};
  for (var t = lane; t < params.terms; t += ${lanes}u) { total = ${rule.join('total', 'x_at(start + offset(t))')}; }
  partial[lane] = total;
  for (var width = ${lanes / 2}u; width > 0u; width = width / 2u) {
    workgroupBarrier();
    if (lane < width) { partial[lane] = ${rule.join('partial[lane]', 'partial[lane + width]')}; }
  }
  if (lane == 0u) { out_set(i, partial[0]); }
}`
    : library +
      perElement(`
  let start = kept_offset(i);
  var total = ${rule.start};
  for (var t = 0u; t < params.terms; t++) { total = ${rule.join('total', 'x_at(start + offset(t))')}; }
  out_set(i, total);`);
  kernel = { name, inputs: { x: rule.type }, outputs: { out: rule.type }, parameters, code };
  kernels.set(name, kernel);
  return kernel;
}

const argMaxKernels = new Map<WordType, Kernel>();

/** A NaN counts as the largest, as in `max`. */
function argMaxKernel(type: 'f32' | 'i32'): Kernel {
  let kernel = argMaxKernels.get(type);
  if (kernel !== undefined) return kernel;
  const beats = type === 'f32' ? '!is_nan(leader) && (value > leader || is_nan(value))' : 'value > leader';
  kernel = {
    name: `argMax-${type}`,
    inputs: { x: type },
    outputs: { out: 'i32' },
    parameters: { count: 'u32', extent: 'u32', inner: 'u32' },
    code: `${bitsLibrary}${perElement(`
  let start = (i / params.inner) * params.extent * params.inner + i % params.inner;
  var best = 0u;
  var leader = x_at(start);
  for (var j = 1u; j < params.extent; j++) {
    let value = x_at(start + j * params.inner);
    if (${beats}) { leader = value; best = j; }
  }
  out_set(i, i32(best));`)}`,
  };
  argMaxKernels.set(type, kernel);
  return kernel;
}

export function reductions({ make, run, runElements }: Context): Reductions {
  function reduce(rules: Record<'f32' | 'i32', Rule>, x: FloatTensor, axes: readonly number[]): FloatTensor {
    const kept = withoutAxes(x.shape, axes);
    return make(kept, x.dtype, (out) => {
      const count = sizeOf(kept);
      if (count === 0) return;
      const strides = stridesOf(x.shape);
      const keptAxes = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const walk = (over: readonly number[]) =>
        coalesce({ extents: over.map((axis) => x.shape[axis]!), strides: [over.map((axis) => strides[axis]!)] });
      const [outer, inner] = [walk(keptAxes), walk(axes)];
      const terms = sizeOf(axes.map((axis) => x.shape[axis]!));
      const values = {
        count,
        terms,
        kept_rank: outer.extents.length,
        rank: inner.extents.length,
        kept_extents: outer.extents,
        kept_strides: outer.strides[0]!,
        extents: inner.extents,
        strides: inner.strides[0]!,
      };
      const rule = rules[x.dtype === 'f32' ? 'f32' : 'i32'];
      const shared = terms > serialTerms && count < serialResults;
      if (shared) run(kernelOf(rule, true), [x], [out], values, count);
      else runElements(kernelOf(rule, false), [x], [out], values, count);
    });
  }

  return {
    sum: (x, axes) => reduce(sumRules, x, axes),
    max: (x, axes) => reduce(maxRules, x, axes),
    argMax(x, axis) {
      const shape = withoutAxes(x.shape, [axis]);
      const inner = stridesOf(x.shape)[axis]!;
      const kernel = argMaxKernel(x.dtype === 'f32' ? 'f32' : 'i32');
      return make(shape, 'i32', (out) => {
        runElements(kernel, [x], [out], { extent: x.shape[axis]!, inner }, sizeOf(shape));
      });
    },
  };
}
