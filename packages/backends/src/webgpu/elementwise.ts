import {
  type BinaryName,
  binaryNames,
  type ComparisonName,
  comparisonNames,
  type DType,
  type Primitives,
  sizeOf,
  type Tensor,
  type UnaryName,
  unaryNames,
} from '@lmd/core';
import { coalesce } from '../host-kernels/strided.js';
import { record } from '../record.js';
import { broadcastShape, broadcastStrides } from '../strided-offsets.js';
import type { Context } from './context.js';
import type { Kernel, WordType } from './kernel.js';
import { bitsLibrary, mathLibrary, perElement } from './wgsl.js';

type Elementwise = Pick<Primitives, UnaryName | BinaryName | ComparisonName | 'cast' | 'where'>;

/** A function of elements, as WGSL of `a`, `b` and `c`. */
interface Function {
  readonly name: string;
  readonly inputs: readonly WordType[];
  readonly output: WordType;
  readonly library?: string;
  readonly value: string;
}

const unary: Record<UnaryName, Function> = {
  negate: bits('negate', 'a ^ 0x80000000u'),
  absolute: bits('absolute', 'a & 0x7fffffffu'),
  sign: bits(
    'sign',
    'select(select((a & 0x80000000u) | 0x3f800000u, 0u, (a << 1u) == 0u), a, (a & 0x7fffffffu) > 0x7f800000u)',
  ),
  exp: math('exp', 'exponential(a)'),
  log: math('log', 'logarithm(a)'),
  sqrt: math(
    'sqrt',
    'square_root(a)',
    'fn square_root(x: f32) -> f32 { if (x < 0.0) { return nan(); } if (magnitude_bits(x) >= INFINITY_BITS || x ' +
      '== 0.0) { return x; } return sqrt(x); }',
  ),
  tanh: math('tanh', 'hyperbolic_tangent(a)'),
  erf: math('erf', 'error_function(a)'),
  // From 2^23 on every number is whole; NaN and infinities are beyond it too.
  round: math(
    'round',
    'whole(a)',
    'fn whole(x: f32) -> f32 { if (magnitude_bits(x) >= 0x4b000000u) { return x; } return round(x); }',
  ),
};

const extremum = (name: BinaryName, relation: string): Function => ({
  name,
  inputs: ['f32', 'f32'],
  output: 'f32',
  library: `${bitsLibrary}
fn extremum(a: f32, b: f32) -> f32 { if (is_nan(a)) { return a; } if (is_nan(b)) { return b; } return select(b, a, a ${relation} b); }`,
  value: 'extremum(a, b)',
});

const binary: Record<BinaryName, Function> = {
  add: arithmetic('add', 'a + b'),
  subtract: arithmetic('subtract', 'a - b'),
  multiply: arithmetic('multiply', 'a * b'),
  divide: arithmetic('divide', 'a / b'),
  maximum: extremum('maximum', '>'),
  minimum: extremum('minimum', '<'),
};

const relations: Record<ComparisonName, string> = { equal: '==', greater: '>', less: '<' };

function comparison(name: ComparisonName, type: 'f32' | 'i32'): Function {
  const related = `a ${relations[name]} b`;
  return {
    name: `${name}-${type}`,
    inputs: [type, type],
    output: 'i32',
    library: bitsLibrary,
    value: type === 'i32' ? `select(0, 1, ${related})` : `select(0, 1, ${related} && !is_nan(a) && !is_nan(b))`,
  };
}

const comparisons = record(comparisonNames, (name) => ({ f32: comparison(name, 'f32'), i32: comparison(name, 'i32') }));

const select: Function = {
  name: 'where',
  inputs: ['u32', 'u32', 'u32'],
  output: 'u32',
  value: 'select(c, b, a != 0u)',
};

/** By bits where the value has no i32: WGSL leaves the result of its own conversion open there. */
const truncation = `
fn truncated(x: f32) -> i32 {
  let word = bitcast<u32>(x);
  let size = word & 0x7fffffffu;
  if (size > 0x7f800000u) { return 0; }
  if (size >= 0x4f000000u) { return bitcast<i32>(0x7fffffffu + (word >> 31u)); }
  return i32(x);
}`;

/** From the other of the two, by what results. */
const casts: { readonly [To in 'f32' | 'i32']: Function } = {
  i32: { name: 'cast-f32-i32', inputs: ['f32'], output: 'i32', library: truncation, value: 'truncated(a)' },
  f32: {
    name: 'cast-i32-f32',
    inputs: ['i32'],
    output: 'f32',
    // To the nearest, ties to even, in integers: WGSL leaves the direction open.
    library: `
fn nearest(x: i32) -> f32 {
  let size = select(u32(x), u32(-x), x < 0);
  var rounded = size;
  if (size > 0x1000000u) {
    let shift = 8u - countLeadingZeros(size);
    let kept = size >> shift;
    let rest = size & ((1u << shift) - 1u);
    let half = 1u << (shift - 1u);
    let up = select(0u, 1u, rest > half || (rest == half && (kept & 1u) == 1u));
    let value = f32(kept + up) * f32(1u << shift);
    return select(value, -value, x < 0);
  }
  let value = f32(rounded);
  return select(value, -value, x < 0);
}`,
    value: 'nearest(a)',
  },
};

function bits(name: string, value: string): Function {
  return { name, inputs: ['u32'], output: 'u32', value };
}

function math(name: string, value: string, more = ''): Function {
  return { name, inputs: ['f32'], output: 'f32', library: mathLibrary + more, value };
}

function arithmetic(name: string, value: string): Function {
  return { name, inputs: ['f32', 'f32'], output: 'f32', value };
}

const letters = ['a', 'b', 'c'] as const;

interface Variants {
  /** Operands of the result's size, or of one element: `step_a` is 1 or 0. */
  readonly flat: Kernel;
  /** Any broadcasting. */
  readonly strided: Kernel;
}

const variantsOf = new Map<Function, Variants>();

function kernelsOf(f: Function): Variants {
  let variants = variantsOf.get(f);
  if (variants !== undefined) return variants;
  const names = f.inputs.map((_, i) => letters[i]!);
  const inputs = Object.fromEntries(names.map((name, i) => [`in_${name}`, f.inputs[i]!]));
  const operands = { inputs, outputs: { out: f.output } };
  const load = (index: (name: string) => string) =>
    names.map((name) => `let ${name} = in_${name}_at(${index(name)});`).join(' ');
  const flat: Kernel = {
    name: f.name,
    ...operands,
    parameters: { count: 'u32', ...Object.fromEntries(names.map((name) => [`step_${name}`, 'u32' as const])) },
    code: `${f.library ?? ''}${perElement(`${load((name) => `i * params.step_${name}`)} out_set(i, ${f.value});`)}`,
  };
  const strided: Kernel = {
    name: `${f.name}-broadcast`,
    ...operands,
    parameters: {
      count: 'u32',
      rank: 'u32',
      extents: 'u32x8',
      ...Object.fromEntries(names.map((name) => [`strides_${name}`, 'u32x8' as const])),
    },
    code: `${f.library ?? ''}${perElement(`
  ${names.map((name) => `var at_${name} = 0u;`).join(' ')}
  var rest = i;
  for (var d = params.rank; d > 0u; d--) {
    let row = (d - 1u) >> 2u;
    let column = (d - 1u) & 3u;
    let extent = params.extents[row][column];
    let index = rest % extent;
    rest = rest / extent;
    ${names.map((name) => `at_${name} += index * params.strides_${name}[row][column];`).join(' ')}
  }
  ${load((name) => `at_${name}`)} out_set(i, ${f.value});`)}`,
  };
  variants = { flat, strided };
  variantsOf.set(f, variants);
  return variants;
}

export function elementwise(context: Context): Elementwise {
  const { allocate, make, runElements, runPages, store } = context;

  function apply<Type extends DType>(f: Function, xs: readonly Tensor[], dtype: Type): Tensor<Type> {
    const shape = broadcastShape(...xs.map((x) => x.shape));
    const size = sizeOf(shape);
    if (size === 0) return allocate(shape, dtype);
    const { flat, strided } = kernelsOf(f);
    return make(shape, dtype, (out) => {
      const sizes = xs.map((x) => sizeOf(x.shape));
      if (sizes.every((own) => own === size || own === 1)) {
        const steps = Object.fromEntries(xs.map((_, i) => [`step_${letters[i]!}`, sizes[i] === 1 ? 0 : 1]));
        runPages(flat, xs, [out], steps);
        return;
      }
      const walk = coalesce({ extents: shape, strides: xs.map((x) => broadcastStrides(x.shape, shape)) });
      const strides = Object.fromEntries(xs.map((_, i) => [`strides_${letters[i]!}`, walk.strides[i]!]));
      runElements(strided, xs, [out], { rank: walk.extents.length, extents: walk.extents, ...strides }, size);
    });
  }

  return {
    ...record(unaryNames, (name) => (x: Tensor) => apply(unary[name], [x], 'f32')),
    ...record(binaryNames, (name) => (a: Tensor, b: Tensor) => apply(binary[name], [a, b], 'f32')),
    ...record(
      comparisonNames,
      (name) => (a: Tensor, b: Tensor) => apply(comparisons[name][a.dtype === 'f32' ? 'f32' : 'i32'], [a, b], 'i32'),
    ),
    where: (condition, a, b) => apply(select, [condition, a, b], a.dtype),
    cast(x, dtype) {
      return x.dtype === dtype ? store.share(x, x.shape, dtype) : apply(casts[dtype], [x], dtype);
    },
  };
}
