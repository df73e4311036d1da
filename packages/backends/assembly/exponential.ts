import { madd } from './arithmetic';

/** 1.5·2^23: adding it rounds to an integer, which then stands in the low bits. */
const MAGIC_BITS: f32 = 12582912;

/**
 * The constants of `exponential`, in memory: V8 puts a vector constant together anew at each use, in three
 * instructions, and loads a repeated value in one.
 */
const TABLE = memory.data<f32>(
  [
    -110,
    90,
    1.4426950408889634,
    MAGIC_BITS,
    -0.693359375,
    2.1219444e-4,
    1.98756915e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
    1,
    -88,
    89,
    MAGIC_BITS + 127 + 64,
    5.421010862427522e-20,
    MAGIC_BITS + 127,
  ],
  64,
);

/** The constant at a place of the table. */
// @ts-ignore: decorators are AssemblyScript's
@inline
function constant(place: usize): v128 {
  return v128.load32_splat(TABLE + 4 * place);
}

/**
 * eˣ to 2 units in the last place, subnormal results included; Infinity, 0 and NaN where they belong. 2ⁿ·eʳ with |r| ≤
 * ln 2 / 2, and the minimax polynomial of the Cephes library's expf (S. Moshier); 2ⁿ in two factors, each of which
 * float32 holds.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function exponential(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, constant(0)), constant(1));
  const magic = constant(3);
  const t = madd(x, constant(2), magic);
  const n = f32x4.sub(t, magic);
  const r = madd(n, constant(5), madd(n, constant(4), x));
  let p = madd(constant(6), r, constant(7));
  p = madd(p, r, constant(8));
  p = madd(p, r, constant(9));
  p = madd(p, r, constant(10));
  p = madd(p, r, constant(11));
  const one = constant(12);
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), one);
  const whole = i32x4.sub(t, magic);
  const half = i32x4.shr_s(whole, 1);
  // Added to the exponent of 1.
  const low = i32x4.add(i32x4.shl(half, 23), one);
  const high = i32x4.add(i32x4.shl(i32x4.sub(whole, half), 23), one);
  return f32x4.mul(f32x4.mul(p, low), high);
}

/**
 * eˣ·2ᵏ, where `magic` is `MAGIC_BITS` + 127 + k: the low bits of the rounded sum are an exponent field, which must not
 * be negative.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
function exponentialBy(x: v128, magic: v128): v128 {
  const t = madd(x, constant(2), magic);
  const n = f32x4.sub(t, magic);
  const r = madd(n, constant(5), madd(n, constant(4), x));
  let p = madd(constant(6), r, constant(7));
  p = madd(p, r, constant(8));
  p = madd(p, r, constant(9));
  p = madd(p, r, constant(10));
  p = madd(p, r, constant(11));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), constant(12));
  return f32x4.mul(p, i32x4.shl(t, 23));
}

/** `exponential` of x ≤ 0, subnormal results included. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function exponentialOfNegative(x: v128): v128 {
  return f32x4.mul(exponentialBy(f32x4.pmax(x, constant(0)), constant(15)), constant(16));
}

/**
 * The lanes' sums of e^(scale·x + shift), of numbers up to 0, over whole vectors; each term goes to `out` too, where
 * that is not 0. Two vectors at once, which share the loads of constants: those are a third of the instructions.
 */
export function exponentialSums(x: usize, out: usize, bytes: usize, scale: v128, shift: v128): v128 {
  const magic = constant(15);
  const slope = constant(2);
  const high = constant(4);
  const low = constant(5);
  let sums = f32x4.splat(0);
  let others = sums;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const least = constant(0);
    // Not fused: the largest value's exponent must be 0 exactly.
    const x0 = f32x4.pmax(f32x4.add(f32x4.mul(v128.load(x + at), scale), shift), least);
    const x1 = f32x4.pmax(f32x4.add(f32x4.mul(v128.load(x + at, 16), scale), shift), least);
    const t0 = madd(x0, slope, magic);
    const t1 = madd(x1, slope, magic);
    const n0 = f32x4.sub(t0, magic);
    const n1 = f32x4.sub(t1, magic);
    const r0 = madd(n0, low, madd(n0, high, x0));
    const r1 = madd(n1, low, madd(n1, high, x1));
    let c = constant(6);
    let d = constant(7);
    let p0 = madd(c, r0, d);
    let p1 = madd(c, r1, d);
    c = constant(8);
    p0 = madd(p0, r0, c);
    p1 = madd(p1, r1, c);
    d = constant(9);
    p0 = madd(p0, r0, d);
    p1 = madd(p1, r1, d);
    c = constant(10);
    p0 = madd(p0, r0, c);
    p1 = madd(p1, r1, c);
    d = constant(11);
    p0 = madd(p0, r0, d);
    p1 = madd(p1, r1, d);
    c = constant(12);
    d = constant(16);
    p0 = f32x4.mul(f32x4.mul(f32x4.add(madd(p0, f32x4.mul(r0, r0), r0), c), i32x4.shl(t0, 23)), d);
    p1 = f32x4.mul(f32x4.mul(f32x4.add(madd(p1, f32x4.mul(r1, r1), r1), c), i32x4.shl(t1, 23)), d);
    if (out != 0) {
      v128.store(out + at, p0);
      v128.store(out + at, p1, 16);
    }
    sums = f32x4.add(sums, p0);
    others = f32x4.add(others, p1);
  }
  if (at < bytes) {
    const p = exponentialOfNegative(f32x4.add(f32x4.mul(v128.load(x + at), scale), shift));
    if (out != 0) v128.store(out + at, p);
    sums = f32x4.add(sums, p);
  }
  return f32x4.add(sums, others);
}

/**
 * e^(a·x + b) in place of the x at `at`, for the b at `offsets`: as `exponential`, but 0 for what is no normal number
 * (under −87.7), and Infinity above 88.37. Two vectors at once, as in `exponentialSums`.
 */
export function exponentialsInPlace(at: usize, a: v128, offsets: usize, bytes: usize): void {
  const end = at + bytes;
  const scale = constant(2);
  const magic = constant(17);
  const high = constant(4);
  const low = constant(5);
  for (; at < end; at += 32, offsets += 32) {
    const least = constant(13);
    let x0 = f32x4.pmax(madd(a, v128.load(at), v128.load(offsets)), least);
    let x1 = f32x4.pmax(madd(a, v128.load(at, 16), v128.load(offsets, 16)), least);
    const most = constant(14);
    x0 = f32x4.pmin(x0, most);
    x1 = f32x4.pmin(x1, most);
    const t0 = madd(x0, scale, magic);
    const t1 = madd(x1, scale, magic);
    const n0 = f32x4.sub(t0, magic);
    const n1 = f32x4.sub(t1, magic);
    const r0 = madd(n0, low, madd(n0, high, x0));
    const r1 = madd(n1, low, madd(n1, high, x1));
    let c = constant(6);
    let d = constant(7);
    let p0 = madd(c, r0, d);
    let p1 = madd(c, r1, d);
    c = constant(8);
    p0 = madd(p0, r0, c);
    p1 = madd(p1, r1, c);
    d = constant(9);
    p0 = madd(p0, r0, d);
    p1 = madd(p1, r1, d);
    c = constant(10);
    p0 = madd(p0, r0, c);
    p1 = madd(p1, r1, c);
    d = constant(11);
    p0 = madd(p0, r0, d);
    p1 = madd(p1, r1, d);
    c = constant(12);
    p0 = f32x4.add(madd(p0, f32x4.mul(r0, r0), r0), c);
    p1 = f32x4.add(madd(p1, f32x4.mul(r1, r1), r1), c);
    v128.store(at, f32x4.mul(p0, i32x4.shl(t0, 23)));
    v128.store(at, f32x4.mul(p1, i32x4.shl(t1, 23)), 16);
  }
}
