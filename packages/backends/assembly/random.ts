// Philox4x32-10 (Salmon et al., SC 2011) and Box–Muller, as `@lmd/core` defines them: four counter blocks at a time.

import { madd } from './arithmetic';

const WEYL0: u32 = 0x9e3779b9;
const WEYL1: u32 = 0xbb67ae85;
const MULTIPLIER0: u32 = 0xd2511f53;
const MULTIPLIER1: u32 = 0xcd9e8d57;

const BITS: i32 = 0;
const UNIFORM: i32 = 1;
const NORMAL: i32 = 2;

/** Constants, in memory: see `exponential.ts`. */
const TABLE = memory.data<f32>(
  [
    1,
    2.0 / 9.0,
    2.0 / 7.0,
    2.0 / 5.0,
    2.0 / 3.0,
    2,
    0.6931471805599453,
    -2,
    3.7450703e-7,
    -1.9515295891e-4,
    8.3321608736e-3,
    -1.6666654611e-1,
    2.443315711809948e-5,
    -1.388731625493765e-3,
    4.166664568298827e-2,
    -0.5,
  ],
  64,
);

// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

/** The upper 24 bits. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function upperBits(word: v128): v128 {
  return i32x4.shr_u(word, 8);
}

/** √(−2 ln u1) with u1 = ((word >>> 8) + 1)·2^-24. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function radius(word: v128): v128 {
  const k = f32x4.convert_i32x4_s(i32x4.add(upperBits(word), i32x4.splat(1)));
  // k = m·2^e with m in [√½, √2): the bits of √½ taken away leave e in the exponent field.
  const moved = i32x4.sub(k, i32x4.splat(0x3f3504f3));
  const e = i32x4.shr_s(moved, 23);
  const m = i32x4.sub(k, i32x4.shl(e, 23));
  // ln m = 2 artanh f
  const f = f32x4.div(f32x4.sub(m, constant(0)), f32x4.add(m, constant(0)));
  const z = f32x4.mul(f, f);
  let series = madd(z, constant(1), constant(2));
  series = madd(series, z, constant(3));
  series = madd(series, z, constant(4));
  series = madd(series, z, constant(5));
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(e, i32x4.splat(24)));
  const logarithm = madd(exponent, constant(6), f32x4.mul(f, series));
  return f32x4.sqrt(f32x4.mul(logarithm, constant(7)));
}

/** Ten rounds on four counter blocks, and what `kind` makes of the words, 16 elements in order at `target`. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function sixteen(
  kind: i32,
  target: usize,
  group: u32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  const multiplier0 = i32x4.splat(MULTIPLIER0);
  const multiplier1 = i32x4.splat(MULTIPLIER1);
  let c0 = i32x4.splat(stream);
  let c1 = i32x4.splat(step);
  let c2 = i32x4.splat(sample);
  let c3 = i32x4.add(i32x4.splat(group), i32x4(0, 1, 2, 3));
  let k0 = seedLow;
  let k1 = seedHigh;
  for (let round = 0; round < 10; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    const high0 = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    const low1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    const high1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(v128.xor(i32x4.shuffle(low1, high1, 1, 3, 5, 7), c1), i32x4.splat(k0));
    c2 = v128.xor(v128.xor(i32x4.shuffle(low0, high0, 1, 3, 5, 7), c3), i32x4.splat(k1));
    c1 = i32x4.shuffle(low1, high1, 0, 2, 4, 6);
    c3 = i32x4.shuffle(low0, high0, 0, 2, 4, 6);
    k0 += WEYL0;
    k1 += WEYL1;
  }
  if (kind == UNIFORM) {
    const unit = f32x4.splat(5.9604644775390625e-8);
    c0 = f32x4.mul(f32x4.convert_i32x4_s(upperBits(c0)), unit);
    c1 = f32x4.mul(f32x4.convert_i32x4_s(upperBits(c1)), unit);
    c2 = f32x4.mul(f32x4.convert_i32x4_s(upperBits(c2)), unit);
    c3 = f32x4.mul(f32x4.convert_i32x4_s(upperBits(c3)), unit);
  } else if (kind == NORMAL) {
    const first = radius(c0);
    const second = radius(c2);
    const turn = upperBits(c1);
    c0 = f32x4.mul(first, directionPart(turn, 0));
    c1 = f32x4.mul(first, directionPart(turn, 1));
    const other = upperBits(c3);
    c2 = f32x4.mul(second, directionPart(other, 0));
    c3 = f32x4.mul(second, directionPart(other, 1));
  }
  // From a lane a group to four words a group.
  const a = i32x4.shuffle(c0, c1, 0, 4, 1, 5);
  const b = i32x4.shuffle(c2, c3, 0, 4, 1, 5);
  const c = i32x4.shuffle(c0, c1, 2, 6, 3, 7);
  const d = i32x4.shuffle(c2, c3, 2, 6, 3, 7);
  v128.store(target, i32x4.shuffle(a, b, 0, 1, 4, 5));
  v128.store(target, i32x4.shuffle(a, b, 2, 3, 6, 7), 16);
  v128.store(target, i32x4.shuffle(c, d, 0, 1, 4, 5), 32);
  v128.store(target, i32x4.shuffle(c, d, 2, 3, 6, 7), 48);
}

/**
 * The cosine (part 0) or sine (part 1) of a turn of t·2^-24. The angle is reduced to an eighth of a turn in integers, so that
 * the result keeps its relative precision near the zeros.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function directionPart(t: v128, part: i32): v128 {
  const q = i32x4.shr_u(i32x4.add(t, i32x4.splat(0x200000)), 22);
  const a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(t, i32x4.shl(q, 22))), constant(8));
  const z = f32x4.mul(a, a);
  let sine = madd(z, constant(9), constant(10));
  sine = madd(sine, z, constant(11));
  sine = madd(f32x4.mul(sine, z), a, a);
  let cosine = madd(z, constant(12), constant(13));
  cosine = madd(cosine, z, constant(14));
  cosine = madd(f32x4.mul(cosine, z), z, madd(z, constant(15), constant(0)));
  const odd = i32x4.ne(v128.and(q, i32x4.splat(1)), i32x4.splat(0));
  const value = part == 0 ? v128.bitselect(sine, cosine, odd) : v128.bitselect(cosine, sine, odd);
  // cos of quarters 0 … 3: cos, −sin, −cos, sin; sin: sin, cos, −sin, −cos.
  const negative = part == 0 ? i32x4.add(q, i32x4.splat(1)) : q;
  return v128.xor(value, i32x4.shl(v128.and(negative, i32x4.splat(2)), 30));
}

/** Normals of elements 4·`group` on, 16 at a time: `count` rounded up to that. */
export function drawNormals(
  target: usize,
  count: i32,
  group: u32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  for (let i = 0; i < count; i += 16, group += 4, target += 64) {
    sixteen(NORMAL, target, group, stream, step, sample, seedLow, seedHigh);
  }
}

/**
 * Fills the elements `from` (a multiple of 16) to `to`, in whole sixteens, which a tensor's block has room for: bits, uniforms or
 * normals.
 */
export function random(
  from: i32,
  to: i32,
  kind: i32,
  target: usize,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  let group = <u32>from >> 2;
  target += <usize>from << 2;
  if (kind == NORMAL) return drawNormals(target, to - from, group, stream, step, sample, seedLow, seedHigh);
  if (kind == UNIFORM) {
    for (let i = from; i < to; i += 16, group += 4, target += 64) {
      sixteen(UNIFORM, target, group, stream, step, sample, seedLow, seedHigh);
    }
  } else {
    for (let i = from; i < to; i += 16, group += 4, target += 64) {
      sixteen(BITS, target, group, stream, step, sample, seedLow, seedHigh);
    }
  }
}
