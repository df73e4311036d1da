import {
  bits,
  blockSize,
  emin,
  hasSpecials,
  intUnit,
  largestCode,
  QUIET_NAN,
  significantBits,
  twosComplement,
} from './settings';

/** Four codes, one a 32-bit lane, as values without a scale; those beyond the largest are wrong. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function decodeVector(
  codes: v128,
  codeBits: i32,
  mantissaBits: i32,
  unit: v128,
  magnitudeMask: v128,
  firstNormal: v128,
  one: v128,
  binade: v128,
): v128 {
  if (twosComplement) {
    const aligned = i32x4.shr_s(i32x4.shl(codes, 32 - codeBits), 32 - codeBits);
    return f32x4.mul(f32x4.convert_i32x4_s(aligned), unit);
  }
  const magnitude = v128.and(codes, magnitudeMask);
  const sign = i32x4.shl(v128.andnot(codes, magnitudeMask), 32 - codeBits);
  // A subnormal is read as the normal number with the same mantissa in the lowest binade, less the leading one.
  const subnormal = i32x4.gt_s(firstNormal, magnitude);
  const based = i32x4.add(i32x4.shl(magnitude, 23 - mantissaBits), i32x4.sub(one, binade));
  const normal = i32x4.add(based, v128.and(subnormal, binade));
  return v128.or(f32x4.sub(normal, v128.and(subnormal, one)), sign);
}

/** The four codes at an address, one a 32-bit lane. */
// @ts-expect-error: decorators are AssemblyScript's
@inline
function loadCodes(at: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

/** Some code of a block is an infinity or a NaN. */
function anySpecial(codes: usize, count: i32, stride: i32): bool {
  const mask = (1 << (bits - 1)) - 1;
  for (let i = 0; i < count; i++) {
    if ((<i32>load<u8>(codes + i * stride) & mask) > largestCode) return true;
  }
  return false;
}

/** As `anySpecial`, of consecutive codes, by vectors. */
function anySpecialInRow(codes: usize, count: i32): bool {
  const mask = i8x16.splat(((<i8>1) << (<i8>(bits - 1))) - 1);
  const limit = i8x16.splat(<i8>largestCode);
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    if (v128.any_true(i8x16.gt_u(v128.and(v128.load(codes + i), mask), limit))) return true;
  }
  return anySpecial(codes + i, count - i, 1);
}

function decodeElement(code: i32, table: usize, scale: f32): i32 {
  const word = load<i32>(table + ((<usize>code) << 2));
  // A NaN goes as bits: its sign and payload would otherwise be the processor's to choose.
  return (word & 0x7fffffff) > 0x7f800000 ? word : reinterpret<i32>(reinterpret<f32>(word) * scale);
}

function decodeBlock(codes: usize, target: usize, table: usize, scale: f32, count: i32): void {
  if (scale != scale) {
    for (let i = 0; i < count; i++) store<i32>(target + ((<usize>i) << 2), QUIET_NAN);
    return;
  }
  if (hasSpecials && anySpecialInRow(codes, count)) {
    for (let i = 0; i < count; i++) {
      store<i32>(target + ((<usize>i) << 2), decodeElement(load<u8>(codes + i), table, scale));
    }
    return;
  }
  const factor = f32x4.splat(scale);
  const b = bits;
  const m = significantBits;
  const unit = f32x4.splat(intUnit);
  const mask = i32x4.splat((1 << (bits - 1)) - 1);
  const firstNormal = i32x4.splat(1 << significantBits);
  const one = i32x4.splat((emin + 127) << 23);
  const binade = i32x4.splat(1 << 23);
  let i = 0;
  for (; i + 16 <= count; i += 16, target += 64) {
    const codes16 = v128.load(codes + i);
    const low = i16x8.extend_low_i8x16_u(codes16);
    const high = i16x8.extend_high_i8x16_u(codes16);
    const v0 = decodeVector(i32x4.extend_low_i16x8_u(low), b, m, unit, mask, firstNormal, one, binade);
    const v1 = decodeVector(i32x4.extend_high_i16x8_u(low), b, m, unit, mask, firstNormal, one, binade);
    const v2 = decodeVector(i32x4.extend_low_i16x8_u(high), b, m, unit, mask, firstNormal, one, binade);
    const v3 = decodeVector(i32x4.extend_high_i16x8_u(high), b, m, unit, mask, firstNormal, one, binade);
    v128.store(target, f32x4.mul(v0, factor));
    v128.store(target, f32x4.mul(v1, factor), 16);
    v128.store(target, f32x4.mul(v2, factor), 32);
    v128.store(target, f32x4.mul(v3, factor), 48);
  }
  for (; i < count; i += 4, target += 16) {
    const some = decodeVector(loadCodes(codes + i), b, m, unit, mask, firstNormal, one, binade);
    v128.store(target, f32x4.mul(some, factor));
  }
}

/**
 * Decodes `rows` rows of `length` codes, a byte each. `table` holds the float32 value of each code, `scaleTable` that
 * of each scale byte.
 */
export function decodeRows(
  codes: usize,
  scales: usize,
  target: usize,
  table: usize,
  scaleTable: usize,
  rows: i32,
  length: i32,
): void {
  let scale = scales;
  for (let row = 0; row < rows; row++) {
    for (let first = 0; first < length; first += blockSize) {
      const i = row * length + first;
      const value = load<f32>(scaleTable + ((<usize>load<u8>(scale++)) << 2));
      decodeBlock(codes + i, target + ((<usize>i) << 2), table, value, min(blockSize, length - first));
    }
  }
}

function decodeColumn(codes: usize, target: usize, table: usize, scale: f32, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    const word = scale != scale ? QUIET_NAN : decodeElement(load<u8>(codes + at), table, scale);
    store<i32>(target + ((<usize>at) << 2), word);
  }
}

/** Decodes `rows` rows of `width` codes, where each column is a block. */
export function decodeColumns(
  codes: usize,
  scales: usize,
  target: usize,
  table: usize,
  scaleTable: usize,
  rows: i32,
  width: i32,
): void {
  const factorOf = scaleTable;
  for (let column = 0; column < width; column += 4) {
    const first = width < 4 ? column : min(column, width - 4);
    const lanes = min(4, width - first);
    const from = codes + first;
    const to = target + ((<usize>first) << 2);
    let plain = lanes == 4;
    let factor = f32x4.splat(0);
    if (plain) {
      factor = f32x4(
        load<f32>(factorOf + ((<usize>load<u8>(scales + first)) << 2)),
        load<f32>(factorOf + ((<usize>load<u8>(scales + first, 1)) << 2)),
        load<f32>(factorOf + ((<usize>load<u8>(scales + first, 2)) << 2)),
        load<f32>(factorOf + ((<usize>load<u8>(scales + first, 3)) << 2)),
      );
      plain = !v128.any_true(f32x4.ne(factor, factor));
      for (let lane = 0; plain && hasSpecials && lane < 4; lane++) plain = !anySpecial(from + lane, rows, width);
    }
    if (plain) {
      const b = bits;
      const m = significantBits;
      const unit = f32x4.splat(intUnit);
      const mask = i32x4.splat((1 << (bits - 1)) - 1);
      const firstNormal = i32x4.splat(1 << significantBits);
      const one = i32x4.splat((emin + 127) << 23);
      const binade = i32x4.splat(1 << 23);
      for (let row = 0; row < rows; row++) {
        const at = row * width;
        const values = decodeVector(loadCodes(from + at), b, m, unit, mask, firstNormal, one, binade);
        v128.store(to + ((<usize>at) << 2), f32x4.mul(values, factor));
      }
    } else {
      for (let lane = 0; lane < lanes; lane++) {
        const scale = load<f32>(factorOf + ((<usize>load<u8>(scales + first + lane)) << 2));
        decodeColumn(from + lane, to + ((<usize>lane) << 2), table, scale, rows, width);
      }
    }
  }
}
