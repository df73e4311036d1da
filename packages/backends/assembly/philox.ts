// Philox4x32-10 (Salmon et al., SC 2011): four counter blocks at a time, which differ in the last word of the counter
// alone. So the first round costs an exclusive or, and the second and third one product each instead of two.

import { SCHEDULE } from './workspace';

const WEYL0: u32 = 0x9e3779b9;
const WEYL1: u32 = 0xbb67ae85;
const MULTIPLIER0: u32 = 0xd2511f53;
const MULTIPLIER1: u32 = 0xcd9e8d57;

/** In memory: see `exponential.ts`. */
const MULTIPLIERS = memory.data<u32>([MULTIPLIER0, MULTIPLIER1], 64);

// @ts-ignore: decorators are AssemblyScript's
@inline
function product(a: u32, b: u32): u64 {
  return <u64>a * <u64>b;
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function upper(x: u64): u32 {
  return <u32>(x >> 32);
}

/**
 * Puts into the thread's workspace what all blocks of a key share: five words of the first three rounds, then two round
 * keys for each of the others.
 */
export function schedule(stream: u32, step: u32, sample: u32, seedLow: u32, seedHigh: u32): void {
  const first0 = product(stream, MULTIPLIER0);
  const first1 = product(sample, MULTIPLIER1);
  const second = product(upper(first1) ^ step ^ seedLow, MULTIPLIER0);
  const third = product(upper(second) ^ <u32>first0 ^ (seedHigh + WEYL1), MULTIPLIER1);
  store<u32>(SCHEDULE, upper(first0) ^ seedHigh);
  store<u32>(SCHEDULE, <u32>first1 ^ (seedLow + WEYL0), 4);
  store<u32>(SCHEDULE, upper(third) ^ (seedLow + 2 * WEYL0), 8);
  store<u32>(SCHEDULE, <u32>third, 12);
  store<u32>(SCHEDULE, <u32>second ^ (seedHigh + 2 * WEYL1), 16);
  for (let round: u32 = 3; round < 10; round++) {
    store<u32>(SCHEDULE + <usize>round * 8, seedLow + round * WEYL0);
    store<u32>(SCHEDULE + <usize>round * 8, seedHigh + round * WEYL1, 4);
  }
}

// The lower and upper halves of four products, of which two stand in each of `a` and `b`.

// @ts-ignore: decorators are AssemblyScript's
@inline
function lows(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function highs(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 1, 3, 5, 7);
}

/**
 * The random words of `count` elements, rounded up to sixteens, from element 4·`group` on, under the key of `schedule`.
 */
export function philox(target: usize, count: i32, group: u32): void {
  const words = SCHEDULE;
  const end = target + ((<usize>count) << 2);
  for (; target < end; target += 64, group += 4) {
    const multiplier0 = v128.load32_splat(MULTIPLIERS);
    const multiplier1 = v128.load32_splat(MULTIPLIERS, 4);
    const counter = i32x4.add(i32x4.splat(group), i32x4(0, 1, 2, 3));
    let c2 = v128.xor(counter, v128.load32_splat(words));
    let a = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    let b = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    let c0 = v128.xor(highs(a, b), v128.load32_splat(words, 4));
    const c1OfSecond = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    c0 = v128.xor(c1OfSecond, v128.load32_splat(words, 8));
    let c1 = v128.load32_splat(words, 12);
    c2 = v128.xor(highs(a, b), v128.load32_splat(words, 16));
    let c3 = lows(a, b);
    // Unrolled: a loop would update and test a counter after every twenty instructions.
    let a1: v128;
    let b1: v128;
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 24)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 28)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 32)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 36)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 40)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 44)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 48)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 52)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 56)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 60)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 64)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 68)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    a = i64x2.extmul_low_i32x4_u(c0, multiplier0);
    b = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    a1 = i64x2.extmul_low_i32x4_u(c2, multiplier1);
    b1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(highs(a1, b1), v128.xor(c1, v128.load32_splat(words, 72)));
    c2 = v128.xor(highs(a, b), v128.xor(c3, v128.load32_splat(words, 76)));
    c1 = lows(a1, b1);
    c3 = lows(a, b);
    // Transposes: from one block per lane to four words per block.
    const low01 = i32x4.shuffle(c0, c1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(c2, c3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(c0, c1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(c2, c3, 2, 6, 3, 7);
    v128.store(target, i32x4.shuffle(low01, low23, 0, 1, 4, 5));
    v128.store(target, i32x4.shuffle(low01, low23, 2, 3, 6, 7), 16);
    v128.store(target, i32x4.shuffle(high01, high23, 0, 1, 4, 5), 32);
    v128.store(target, i32x4.shuffle(high01, high23, 2, 3, 6, 7), 48);
  }
}
