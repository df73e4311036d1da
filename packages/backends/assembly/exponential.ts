import { madd } from './arithmetic';

/** 1.5·2^23: adding it rounds to an integer, which then stands in the low bits. */
const MAGIC: f32 = 12582912;
const MAGIC_BITS: i32 = 0x4b400000;

/**
 * eˣ to 2 units in the last place, subnormal results included; Infinity, 0 and NaN where they belong. 2ⁿ·eʳ with |r| ≤ ln 2 / 2, and
 * the minimax polynomial of the Cephes library's expf (S. Moshier); 2ⁿ in two factors, each of which float32 holds.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function exponential(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-110)), f32x4.splat(90));
  const t = madd(x, f32x4.splat(1.4426950408889634), f32x4.splat(MAGIC));
  const n = f32x4.sub(t, f32x4.splat(MAGIC));
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  let p = madd(f32x4.splat(1.9875691500e-4), r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const whole = i32x4.sub(t, i32x4.splat(MAGIC_BITS));
  const half = i32x4.shr_s(whole, 1);
  const bias = i32x4.splat(127);
  const low = i32x4.shl(i32x4.add(half, bias), 23);
  const high = i32x4.shl(i32x4.add(i32x4.sub(whole, half), bias), 23);
  return f32x4.mul(f32x4.mul(p, low), high);
}
