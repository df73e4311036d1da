// Random bits, uniforms and normals, as `@lmd/core` defines them: Philox's words for a block that stays in the
// first-level cache, then what is made of them, in place.

import { noiseBlock, RandomKind } from '../src/cpu/wasm/numbers';
import { madd } from './arithmetic';
import { philox, schedule } from './philox';

/** Constants, in memory: see `exponential.ts`. */
const TABLE = memory.data<f32>(
  [
    16777216,
    -4.0 / 9.0,
    -4.0 / 7.0,
    -4.0 / 5.0,
    -4.0 / 3.0,
    -4,
    -1.3862943611198906,
    1,
    3.6572951981e-10,
    -1.9515295891e-4,
    8.3321608736e-3,
    -1.6666654611e-1,
    2.443315711809948e-5,
    -1.388731625493765e-3,
    4.166664568298827e-2,
    -0.5,
    5.9604644775390625e-8,
  ],
  64,
);
const INTEGERS = memory.data<u32>([1, 0x4b3504f3, 0xfffffc00, 0x20000000, 0x80000000], 64);

// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function integer(place: usize): v128 {
  return v128.load32_splat(INTEGERS + 4 * place);
}

/** √(−2 ln u1) with u1 = ((word >>> 8) + 1)·2^-24. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function radius(word: v128): v128 {
  const k = f32x4.convert_i32x4_s(i32x4.add(i32x4.shr_u(word, 8), integer(0)));
  // k = m·2^(e + 24) with m in [√½, √2): the bits of √½·2^24 taken away leave e in the exponent field. What is left is
  // m·2^24, by which the quotient is as by m.
  const e = i32x4.shr_s(i32x4.sub(k, integer(1)), 23);
  const m = i32x4.sub(k, i32x4.shl(e, 23));
  const one = constant(0);
  // −2 ln m = −4 artanh f
  const f = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const z = f32x4.mul(f, f);
  let series = madd(z, constant(1), constant(2));
  series = madd(series, z, constant(3));
  series = madd(series, z, constant(4));
  series = madd(series, z, constant(5));
  return f32x4.sqrt(madd(f32x4.convert_i32x4_s(e), constant(6), f32x4.mul(f, series)));
}

/**
 * Normals in place of the words of `count` elements, rounded up to sixteens, by Box–Muller: pairs of words give pairs
 * of normals.
 */
function normalsFromWords(at: usize, count: i32): void {
  const end = at + ((<usize>((count + 15) & ~15)) << 2);
  for (; at < end; at += 32) {
    const low = v128.load(at);
    const high = v128.load(at, 16);
    const size = radius(i32x4.shuffle(low, high, 0, 2, 4, 6));
    // A turn of (word >>> 8)·2^-24 is quarters, and up to an eighth to either side, which twice the word, as a signed
    // number, is: the angle keeps its relative precision near the zeros.
    const word = i32x4.shuffle(low, high, 1, 3, 5, 7);
    const a = f32x4.mul(f32x4.convert_i32x4_s(v128.and(i32x4.shl(word, 2), integer(2))), constant(8));
    const z = f32x4.mul(a, a);
    let sine = madd(z, constant(9), constant(10));
    sine = madd(sine, z, constant(11));
    sine = madd(f32x4.mul(sine, z), a, a);
    let cosine = madd(z, constant(12), constant(13));
    cosine = madd(cosine, z, constant(14));
    cosine = madd(f32x4.mul(cosine, z), z, madd(z, constant(15), constant(7)));
    // The two upper bits are the quarter: in odd ones sine and cosine change places; cosines are negative in 1 and 2,
    // sines in 2 and 3.
    const quarter = i32x4.add(word, integer(3));
    const lower = i32x4.shl(quarter, 1);
    const exchange = v128.and(v128.xor(sine, cosine), i32x4.shr_s(lower, 31));
    const sign = integer(4);
    const across = v128.xor(v128.xor(cosine, exchange), v128.and(v128.xor(quarter, lower), sign));
    const up = v128.xor(v128.xor(sine, exchange), v128.and(quarter, sign));
    const x = f32x4.mul(size, across);
    const y = f32x4.mul(size, up);
    v128.store(at, i32x4.shuffle(x, y, 0, 4, 1, 5));
    v128.store(at, i32x4.shuffle(x, y, 2, 6, 3, 7), 16);
  }
}

function uniformsFromWords(at: usize, count: i32): void {
  const unit = constant(16);
  const end = at + ((<usize>count) << 2);
  for (; at < end; at += 16) v128.store(at, f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(v128.load(at), 8)), unit));
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
  schedule(stream, step, sample, seedLow, seedHigh);
  philox(target, count, group);
  normalsFromWords(target, count);
}

/**
 * Fills the elements `from` (a multiple of 16) to `to`, in whole sixteens, which a tensor's block has room for, with
 * what the `RandomKind` says.
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
  schedule(stream, step, sample, seedLow, seedHigh);
  for (let start = from; start < to; start += noiseBlock) {
    const at = target + ((<usize>start) << 2);
    const count = min(noiseBlock, to - start);
    philox(at, count, <u32>start >> 2);
    if (kind == RandomKind.randomUniform) uniformsFromWords(at, count);
    else if (kind != RandomKind.randomBits) normalsFromWords(at, count);
  }
}
