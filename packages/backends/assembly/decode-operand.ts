// Encoded operands (see `BlockProductKernels` in @lmd/core) as values again.

/**
 * The rows `from` to `to` of `terms` values. Integers take 2 bytes where `wide`, scales are f32 where `floatScales`;
 * `unit` is the value of an integer of 1, and `tensorScale` goes to each f32 scale.
 */
export function decodeOperand(
  from: i32,
  to: i32,
  codes: usize,
  scales: usize,
  out: usize,
  terms: i32,
  blockSize: i32,
  wide: bool,
  floatScales: bool,
  unit: f32,
  tensorScale: f32,
): void {
  const padded = <usize>((terms + 15) & ~15);
  const blocks = (terms + blockSize - 1) / blockSize;
  const units = f32x4.splat(unit);
  for (let row = from; row < to; row++) {
    const rowCodes = codes + ((<usize>row * padded) << (wide ? 1 : 0));
    const target = out + ((<usize>row * <usize>terms) << 2);
    for (let block = 0; block < blocks; block++) {
      const scale = scaleAt(scales, row * blocks + block, floatScales, tensorScale);
      const factor = f32x4.splat(scale);
      const start = block * blockSize;
      const end = min(terms, start + blockSize);
      let i = start;
      for (; i + 8 <= end; i += 8) {
        const at = rowCodes + ((<usize>i) << (wide ? 1 : 0));
        const eight = wide ? v128.load(at) : v128.load8x8_s(at);
        const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(eight));
        const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(eight));
        v128.store(target + ((<usize>i) << 2), f32x4.mul(f32x4.mul(low, units), factor));
        v128.store(target + ((<usize>i) << 2), f32x4.mul(f32x4.mul(high, units), factor), 16);
      }
      for (; i < end; i++) {
        const integer = wide ? <i32>load<i16>(rowCodes + ((<usize>i) << 1)) : <i32>load<i8>(rowCodes + i);
        store<f32>(target + ((<usize>i) << 2), <f32>integer * unit * scale);
      }
    }
  }
}

// @ts-ignore: decorators are AssemblyScript's
@inline
function scaleAt(scales: usize, index: i32, floats: bool, tensorScale: f32): f32 {
  if (floats) return load<f32>(scales + ((<usize>index) << 2)) * tensorScale;
  const byte = <i32>load<u8>(scales + index);
  if (byte == 255) return NaN;
  return reinterpret<f32>(byte == 0 ? 1 << 22 : byte << 23);
}
