/**
 * 0x9e3779b9 and 0xbb67ae85, what the key grows by each round; 0xd2511f53 and 0xcd9e8d57, what the counter is
 * multiplied by.
 */
const WEYL0: u32 = 0x9e3779b9;
const WEYL1: u32 = 0xbb67ae85;
const MULTIPLIER0: u32 = 0xd2511f53;
const MULTIPLIER1: u32 = 0xcd9e8d57;

/**
 * Philox4x32-10, as in `src/philox.ts`: fills in the words of the elements of groups of four, the first of which is
 * `group`. Four groups go at once, so that room for three more than `groups` is needed.
 */
export function philoxGroups(
  target: usize,
  groups: i32,
  group: u32,
  stream: u32,
  step: u32,
  sample: u32,
  seedLow: u32,
  seedHigh: u32,
): void {
  const multiplier0 = i32x4.splat(MULTIPLIER0);
  const multiplier1 = i32x4.splat(MULTIPLIER1);
  for (let i = 0; i < groups; i += 4, target += 64) {
    let c0 = i32x4.splat(stream);
    let c1 = i32x4.splat(step);
    let c2 = i32x4.splat(sample);
    let c3 = i32x4.add(i32x4.splat(group + i), i32x4(0, 1, 2, 3));
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
    // Transposes: from one group per lane to four words per group.
    const a = i32x4.shuffle(c0, c1, 0, 4, 1, 5);
    const b = i32x4.shuffle(c2, c3, 0, 4, 1, 5);
    const c = i32x4.shuffle(c0, c1, 2, 6, 3, 7);
    const d = i32x4.shuffle(c2, c3, 2, 6, 3, 7);
    v128.store(target, i32x4.shuffle(a, b, 0, 1, 4, 5));
    v128.store(target, i32x4.shuffle(a, b, 2, 3, 6, 7), 16);
    v128.store(target, i32x4.shuffle(c, d, 0, 1, 4, 5), 32);
    v128.store(target, i32x4.shuffle(c, d, 2, 3, 6, 7), 48);
  }
}
