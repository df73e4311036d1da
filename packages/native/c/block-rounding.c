// Figures of blocks, and elements one at a time in float64, for blocks that float32 is not exact for. See `scales.ts`
// and `element.ts` in `packages/mx-formats/assembly`.
#include "block-rounding.h"

#include <string.h>

enum { NAN_E8M0 = 0xff, NAN_E4M3 = 0x7f, E4M3_OFFSET = 120 << 3 };

static uint32_t bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static double power_of_two(int exponent) {
  const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static int32_t e4m3_code(const rounding_settings *settings, uint32_t maximum) {
  const float exact = float_of_bits(maximum) / float_of_bits((uint32_t)settings->largest_bits) / settings->tensor_scale;
  // Held to the normal numbers of E4M3, where a code is the top of the float32 bits.
  const float held = exact < 0.015625f ? 0.015625f : exact > 448 ? 448 : exact;
  const uint32_t word = bits_of_float(held);
  return (int32_t)((word + 0x7ffff + ((word >> 20) & 1)) >> 20) - E4M3_OFFSET;
}

static block_figures figures_of_e4m3(const rounding_settings *settings, uint32_t maximum) {
  block_figures block = {.before = 1, .exact = settings->significant_bits != 0};
  block.threshold = (uint32_t)(settings->emin + 127) << 23;
  block.limit = (uint32_t)settings->largest_bits;
  if (maximum == 0) return block;
  if (maximum >= INFINITY_BITS) {
    block.byte = NAN_E4M3, block.exact = 0;
    return block;
  }
  block.byte = e4m3_code(settings, maximum);
  const float scale = float_of_bits((uint32_t)(block.byte + E4M3_OFFSET) << 20);
  block.before = 1 / settings->tensor_scale / scale;
  block.after = settings->tensor_scale * scale;
  const int top = 253 - 23 + settings->significant_bits - settings->emax;
  if (top < 127) block.exact = 0;
  return block;
}

static int32_t e8m0_byte(const rounding_settings *settings, uint32_t maximum) {
  int32_t exponent = (int32_t)(maximum >> 23);
  uint32_t mantissa = maximum & 0x7fffff;
  if (exponent == 0) {
    const int shift = __builtin_clz(mantissa) - 8;
    exponent = 1 - shift;
    mantissa = (mantissa << shift) & 0x7fffff;
  }
  const int32_t byte = exponent - settings->emax + ((int32_t)mantissa > settings->up_above);
  return byte < 0 ? 0 : byte > 254 ? 254 : byte;
}

exact_bytes exact_bytes_of(const rounding_settings *settings) {
  const int32_t significant = settings->significant_bits;
  // Where fractions are compared, a 2^-48 of a quantum must not underflow.
  const int32_t lowest = (settings->rounding == NEAREST_EVEN ? 1 : significant + 50) - settings->emin;
  // A format without mantissa bits breaks ties by the exponent, which vectors do not. Bytes end at 254.
  const int32_t highest = significant == 0 ? -1 : 253 - 23 + significant - settings->emax;
  return (exact_bytes){lowest > 0 ? lowest : 0, highest < 254 ? highest : 254};
}

block_figures unusual_figures_of(const rounding_settings *settings, uint32_t maximum) {
  if (settings->e4m3_scales) return figures_of_e4m3(settings, maximum);
  block_figures block = {.before = 1, .after = 1};
  if (maximum >= INFINITY_BITS) {
    block.byte = NAN_E8M0;
    return block;
  }
  block.byte = maximum == 0 ? 0 : e8m0_byte(settings, maximum);
  // A block of zeros has the byte 0, but any scale will do.
  const int32_t byte = maximum == 0 ? 127 : block.byte;
  block.threshold = (uint32_t)(byte + settings->emin) << 23;
  block.limit = (uint32_t)settings->largest_bits + ((uint32_t)(byte - 127) << 23);
  const exact_bytes exact = exact_bytes_of(settings);
  const int subnormal = maximum != 0 && maximum < 0x800000;
  block.exact = byte >= exact.lowest && byte <= exact.highest && !subnormal;
  return block;
}

/** ⌊log2⌋ of a value divided by the scale; of zero, something small. */
static int scaled_exponent(uint32_t word, int32_t byte) {
  const uint32_t magnitude = word & 0x7fffffff;
  const int field = (int)(magnitude >> 23);
  return (field == 0 ? 9 - __builtin_clz(magnitude | 1) : field) - byte;
}

/** A rounded magnitude, in quanta of its binade. */
static double rounded_quanta(const rounding_settings *settings, uint32_t word, int32_t byte, uint32_t random) {
  const int own = scaled_exponent(word, byte), exponent = own > settings->emin ? own : settings->emin;
  const double size = (double)float_of_bits(word & 0x7fffffff);
  const double exact = size * power_of_two(127 - byte) * power_of_two(settings->significant_bits - exponent);
  double magic = 0x1p52;
  // Without mantissa bits, an odd offset turns a tie towards the even code.
  if (settings->significant_bits == 0 && own >= settings->emin && ((own + settings->bias) & 1) == 0) magic += 1;
  const double nearest = exact + magic - magic;
  if (settings->rounding == NEAREST_EVEN) return nearest;
  const double truncated = nearest > exact ? nearest - 1 : nearest, beyond = exact - truncated;
  if (settings->rounding == TOWARD_ZERO) return truncated;
  const int up = settings->rounding == NEAREST_AWAY ? beyond >= 0.5 : (double)(random >> 8) * 0x1p-24 < beyond;
  return up ? truncated + 1 : truncated;
}

/** The byte that elements are rounded under: E4M3 scales are divided by before. */
static int32_t own_byte(const rounding_settings *settings, const block_figures *block) {
  return settings->e4m3_scales ? 127 : block->byte;
}

static int larger(int a, int b) { return a > b ? a : b; }

uint32_t round_element(const rounding_settings *settings, const block_figures *block, float value, uint32_t random) {
  const int32_t byte = own_byte(settings, block);
  const uint32_t word = bits_of_float(settings->e4m3_scales ? value * block->before : value);
  const int exponent = larger(scaled_exponent(word, byte), settings->emin);
  const double limit = (double)float_of_bits((uint32_t)settings->largest_bits);
  const double size =
      rounded_quanta(settings, word, byte, random) * power_of_two(exponent - settings->significant_bits);
  const uint32_t rounded = bits_of_float((float)((size < limit ? size : limit) * power_of_two(byte - 127)));
  return settings->integers && rounded == 0 ? 0 : rounded | (word & 0x80000000u);
}

int32_t integer_of_element(const rounding_settings *settings, const block_figures *block, float value,
                           uint32_t random) {
  const int32_t byte = own_byte(settings, block), emin = settings->emin, significant = settings->significant_bits;
  const uint32_t word = bits_of_float(settings->e4m3_scales ? value * block->before : value);
  const int exponent = larger(scaled_exponent(word, byte), emin);
  const double quanta = rounded_quanta(settings, word, byte, random);
  int32_t code = ((exponent - emin) << significant) + (int32_t)(quanta < 65536 ? quanta : 65536);
  if (code > settings->largest_code) code = settings->largest_code;
  int32_t integer = code;
  if (!settings->integers) {
    const int field = code >> significant, mantissa = code & ((1 << significant) - 1);
    integer = field == 0 ? mantissa : (mantissa | 1 << significant) << (field - 1);
  }
  return word >> 31 ? -integer : integer;
}
