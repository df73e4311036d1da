/** An f32 magnitude as a significand and an exponent, and back. */
export const floatPartsLibrary = `
struct Parts { significand: u32, exponent: i32 }

/** A magnitude that is not zero as significand · 2^(exponent − 23), with 2^23 <= significand < 2^24. */
fn parts_of(magnitude: u32) -> Parts {
  let field = magnitude >> 23u;
  if (field > 0u) { return Parts((magnitude & 0x7fffffu) | 0x800000u, i32(field) - 127); }
  let shift = countLeadingZeros(magnitude) - 8u;
  return Parts(magnitude << shift, -126 - i32(shift));
}

/**
 * The f32 bits of an integer below 2^24 times a power of two: infinite beyond the range of f32, and exact within it.
 */
fn scaled(whole: u32, exponent: i32) -> u32 {
  if (whole == 0u) { return 0u; }
  let lead = 31 - i32(countLeadingZeros(whole));
  let top = exponent + lead;
  if (top > 127) { return 0x7f800000u; }
  if (top < -126) { return whole << u32(exponent + 149); }
  return (u32(top + 127) << 23u) | ((whole << u32(23 - lead)) & 0x7fffffu);
}
`;

/**
 * Products and quotients of f32 magnitudes on their bits, rounded to nearest, ties to even, subnormal numbers included:
 * WGSL promises neither those nor the last bits of a division. Arguments are finite, and a divisor is not zero. Needs
 * `philoxLibrary` and `floatPartsLibrary` before it.
 */
export const floatBitsLibrary = `
/**
 * significand · 2^(exponent − 31) with its leading bit set; \`more\` tells that a remainder below the last bit was left
 * out.
 */
fn rounded_bits(significand: u32, exponent: i32, more: bool) -> u32 {
  if (exponent > 127) { return 0x7f800000u; }
  let shift = 8 + max(0, -126 - exponent);
  if (shift > 32) { return 0u; }
  var kept = 0u;
  if (shift < 32) { kept = significand >> u32(shift); }
  var rest = significand;
  if (shift < 32) { rest = significand << u32(32 - shift); }
  let up = rest > 0x80000000u || (rest == 0x80000000u && (more || (kept & 1u) == 1u));
  kept += select(0u, 1u, up);
  // A carry into the next binade, also from subnormal numbers and to infinity, gives the right bits.
  return kept + select(0u, u32(exponent + 126) << 23u, exponent >= -126);
}

fn product_bits(a: u32, b: u32) -> u32 {
  if (a == 0u || b == 0u) { return 0u; }
  let x = parts_of(a);
  let y = parts_of(b);
  let high = multiply_high(x.significand << 8u, y.significand << 8u);
  let low = (x.significand << 8u) * (y.significand << 8u);
  let exponent = x.exponent + y.exponent;
  if (high >= 0x80000000u) { return rounded_bits(high, exponent + 1, low != 0u); }
  return rounded_bits((high << 1u) | (low >> 31u), exponent, (low << 1u) != 0u);
}

fn quotient_bits(a: u32, b: u32) -> u32 {
  if (a == 0u) { return 0u; }
  let x = parts_of(a);
  let y = parts_of(b);
  let smaller = x.significand < y.significand;
  var rest = x.significand << select(0u, 1u, smaller);
  var quotient = 0u;
  for (var i = 0u; i < 32u; i++) {
    quotient = quotient << 1u;
    if (rest >= y.significand) {
      rest -= y.significand;
      quotient |= 1u;
    }
    rest = rest << 1u;
  }
  return rounded_bits(quotient, x.exponent - y.exponent - select(0, 1, smaller), rest != 0u);
}
`;
