// Codes, one a byte, to and from the dense little-endian bit stream of `pack.ts`. Counts are multiples of 8 but in a
// tensor's last piece, whose spare bytes the caller clears.

function packBits(codes: usize, packed: usize, bits: i32, count: i32): void {
  let held = 0;
  let heldBits = 0;
  let at = packed;
  for (let i = 0; i < count; i++) {
    held |= (<i32>load<u8>(codes + i)) << heldBits;
    heldBits += bits;
    if (heldBits >= 8) {
      store<u8>(at++, <u8>held);
      held >>>= 8;
      heldBits -= 8;
    }
  }
  if (heldBits > 0) store<u8>(at, <u8>held);
}

/** Packs `count` codes of `bits` bits. */
export function packCodes(codes: usize, packed: usize, bits: i32, count: i32): void {
  let done = 0;
  if (bits == 4) {
    const mask = i16x8.splat(0xff);
    for (; done + 32 <= count; done += 32) {
      const low = v128.load(codes + done);
      const high = v128.load(codes + done, 16);
      const a = v128.and(v128.or(low, i16x8.shr_u(low, 4)), mask);
      const b = v128.and(v128.or(high, i16x8.shr_u(high, 4)), mask);
      v128.store(packed + (done >> 1), i8x16.narrow_i16x8_u(a, b));
    }
  } else if (bits == 6) {
    // 16 codes make 12 bytes; each store's last four bytes are written again by the next one.
    const pairs = i16x8.splat(0x0fff);
    const quads = i32x4.splat(0xffffff);
    for (; done + 16 <= count; done += 16) {
      const codes16 = v128.load(codes + done);
      const two = v128.and(v128.or(v128.and(codes16, i16x8.splat(0x3f)), i16x8.shl(i16x8.shr_u(codes16, 8), 6)), pairs);
      const four = v128.and(v128.or(v128.and(two, i32x4.splat(0xfff)), i32x4.shl(i32x4.shr_u(two, 16), 12)), quads);
      const dense = i8x16.swizzle(four, i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
      v128.store(packed + (done >> 4) * 12, dense);
    }
  }
  packBits(codes + done, packed + ((done * bits) >> 3), bits, count - done);
}

function unpackBits(packed: usize, codes: usize, bits: i32, count: i32): void {
  const mask = (1 << bits) - 1;
  let held = 0;
  let heldBits = 0;
  let at = packed;
  for (let i = 0; i < count; i++) {
    if (heldBits < bits) {
      held |= (<i32>load<u8>(at++)) << heldBits;
      heldBits += 8;
    }
    store<u8>(codes + i, <u8>(held & mask));
    held >>>= bits;
    heldBits -= bits;
  }
}

/** Unpacks `count` codes of `bits` bits. */
export function unpackCodes(packed: usize, codes: usize, bits: i32, count: i32): void {
  let done = 0;
  if (bits == 4) {
    const mask = i16x8.splat(0x0f0f);
    for (; done + 32 <= count; done += 32) {
      const bytes = v128.load(packed + (done >> 1));
      const low = i16x8.extend_low_i8x16_u(bytes);
      const high = i16x8.extend_high_i8x16_u(bytes);
      v128.store(codes + done, v128.and(v128.or(low, i16x8.shl(low, 4)), mask));
      v128.store(codes + done, v128.and(v128.or(high, i16x8.shl(high, 4)), mask), 16);
    }
  } else if (bits == 6) {
    for (; done + 16 <= count; done += 16) {
      const bytes = v128.load(packed + (done >> 4) * 12);
      const four = i8x16.swizzle(bytes, i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
      const two = v128.or(v128.and(four, i32x4.splat(0xfff)), v128.and(i32x4.shl(four, 4), i32x4.splat(0xfff0000)));
      const one = v128.or(v128.and(two, i16x8.splat(0x3f)), v128.and(i16x8.shl(two, 2), i16x8.splat(0x3f00)));
      v128.store(codes + done, one);
    }
  }
  unpackBits(packed + ((done * bits) >> 3), codes + done, bits, count - done);
}
