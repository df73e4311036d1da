/**
 * Philox4x32-10, as in `philox.ts` of the package: fills in the words of the elements of `groups` groups of four, the first of
 * which is `group`.
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
  for (let i = 0; i < groups; i++) {
    let c0 = stream;
    let c1 = step;
    let c2 = sample;
    let c3 = group + i;
    let k0 = seedLow;
    let k1 = seedHigh;
    for (let round = 0; round < 10; round++) {
      const p0 = <u64>c0 * 0xd2511f53;
      const p1 = <u64>c2 * 0xcd9e8d57;
      c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
      c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
      c1 = <u32>p1;
      c3 = <u32>p0;
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    const at = target + ((<usize>i) << 4);
    store<u32>(at, c0);
    store<u32>(at, c1, 4);
    store<u32>(at, c2, 8);
    store<u32>(at, c3, 12);
  }
}
