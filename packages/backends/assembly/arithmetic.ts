/**
 * a·b + c: rounded once where the module is built with relaxed SIMD and the processor has the instruction, else twice.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of four lanes. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function laneSum(x: v128): f32 {
  const two = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
}

/**
 * Turns a 4×4 block round: four vectors from `source`, rows `sourceStride` bytes apart, to rows `targetStride` bytes
 * apart.
 */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function turnBlock(source: usize, sourceStride: usize, target: usize, targetStride: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + sourceStride);
  const c = v128.load(source + 2 * sourceStride);
  const d = v128.load(source + 3 * sourceStride);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const AB = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const CD = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(target, i32x4.shuffle(ab, cd, 0, 1, 4, 5));
  v128.store(target + targetStride, i32x4.shuffle(ab, cd, 2, 3, 6, 7));
  v128.store(target + 2 * targetStride, i32x4.shuffle(AB, CD, 0, 1, 4, 5));
  v128.store(target + 3 * targetStride, i32x4.shuffle(AB, CD, 2, 3, 6, 7));
}

/** All ones in the first `count` lanes. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function firstLanes(count: i32): v128 {
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** The first `count` values at `at`, and `rest` in the lanes after them. It may read 12 bytes more. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function loadFirst(at: usize, count: i32, rest: v128): v128 {
  return v128.bitselect(v128.load(at), rest, firstLanes(count));
}

/** Stores the first `count` lanes, 1 to 3. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function storeFirst(at: usize, value: v128, count: i32): void {
  if (count == 1) {
    v128.store_lane<f32>(at, value, 0);
  } else {
    v128.store_lane<f64>(at, value, 0);
    if (count == 3) v128.store_lane<f32>(at, value, 2, 8);
  }
}

/** The largest of four lanes; a NaN may be passed over. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function laneMaximum(x: v128): f32 {
  const two = f32x4.pmax(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(two, i32x4.shuffle(two, two, 1, 0, 3, 2)), 0);
}

/** −1, 0 or 1; keeps NaN and the sign of zero. */
// @ts-ignore: decorators are AssemblyScript's
@inline
export function signOf(x: v128): v128 {
  const bit = i32x4.splat(<i32>0x80000000);
  const one = v128.or(v128.and(x, bit), f32x4.splat(1));
  const zero = f32x4.splat(0);
  return v128.bitselect(one, x, v128.or(f32x4.lt(x, zero), f32x4.gt(x, zero)));
}

/**
 * Loads lines that will be read soon into the cache; the result is unused. WebAssembly has no
 * prefetching.
 */
export function touch(at: usize, bytes: usize): i32 {
  let all = 0;
  for (const end = at + bytes; at < end; at += 64) all |= load<i32>(at);
  return all;
}
