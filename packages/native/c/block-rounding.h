// Rounding to block formats: blocks of elements that share a scale, as the kernels of `packages/mx-formats/assembly` do
// it.
#ifndef LMD_BLOCK_ROUNDING_H
#define LMD_BLOCK_ROUNDING_H

#include <stddef.h>
#include <stdint.h>

typedef enum { NEAREST_EVEN, NEAREST_AWAY, TOWARD_ZERO, STOCHASTIC, ROUNDING_COUNT } rounding_mode;

/** A format and how to round to it: the 17 words of `planInMemory`, two of which kernels in C need not be told. */
typedef struct {
  int32_t bits, significant_bits, emin, emax, bias;
  /** The largest element, as float32 bits, and its code. */
  int32_t largest_bits, largest_code;
  /** Elements are integers in two's complement. */
  int32_t integers;
  float unit;
  int32_t has_specials, unused[2];
  /** A block whose largest mantissa is above this takes the next power of two. */
  int32_t up_above;
  int32_t rounding, block_size;
  /** Scales are E4M3 times an f32 of the whole tensor, not E8M0. */
  int32_t e4m3_scales;
  float tensor_scale;
} rounding_settings;

enum { SETTING_WORDS = 17, INFINITY_BITS = 0x7f800000, QUIET_NAN = 0x7fc00000 };
_Static_assert(sizeof(rounding_settings) == SETTING_WORDS * 4, "the settings are words");

/** Values shared by the elements of a block. */
typedef struct {
  /** The scale's. */
  int32_t byte;
  /** float32 bits of the smallest normal and the largest element times the scale. */
  uint32_t threshold, limit;
  /** What elements are multiplied by before they are rounded, and after. */
  float before, after;
  /** Whether arithmetic in float32 is exact. */
  int exact;
} block_figures;

/** Columns of one strip of a matrix whose columns are encoded. */
enum { STRIP_COLUMNS = 32 };

/**
 * Rows of blocks as integers, and their scales: see `encodeIntegersInMemory` of @lmd/mx-formats. Or the columns of
 * matrices [`length`, `columns`], as those rows: then `from` to `to` count the blocks of a strip of STRIP_COLUMNS, in
 * each strip of each matrix, and blocks are of a multiple of 16 elements.
 */
typedef struct {
  ptrdiff_t from, to;
  const rounding_settings *settings;
  const float *source;
  uint8_t *codes;
  void *scales;
  const uint32_t *random;
  ptrdiff_t length, blocks, columns;
  int wide;
} encode_task;

/** The values of encoded operands. */
typedef struct {
  ptrdiff_t from, to;
  const uint8_t *codes;
  const void *scales;
  float *out;
  ptrdiff_t terms, block_size;
  int wide, float_scales;
  float unit, tensor_scale;
} decode_task;

/**
 * Values rounded to a format. In rows of `length`; or in slabs along the middle one of the axes [any, `length`,
 * `inner`], of which each outer index has `blocks`.
 */
typedef struct {
  ptrdiff_t from, to;
  const rounding_settings *settings;
  const float *source;
  float *target;
  const uint32_t *random;
  ptrdiff_t length, blocks, inner;
} round_task;

/** The scale bytes under which sums with 2^23 quanta do not overflow, and no quantum underflows. */
typedef struct {
  int32_t lowest, highest;
} exact_bytes;

exact_bytes exact_bytes_of(const rounding_settings *settings);

/** Of a block whose largest magnitude has these float32 bits; NaN and Infinity included. */
block_figures unusual_figures_of(const rounding_settings *settings, uint32_t maximum);

/** The same, at once where the scale is a power of two and nothing is out of range. */
static inline block_figures figures_of(const rounding_settings *settings, exact_bytes exact, uint32_t maximum) {
  const int32_t exponent = (int32_t)(maximum >> 23), up = (int32_t)(maximum & 0x7fffff) > settings->up_above;
  const int32_t byte = exponent - settings->emax + up;
  if (settings->e4m3_scales || exponent == 0 || exponent == 255 || byte < exact.lowest || byte > exact.highest) {
    return unusual_figures_of(settings, maximum);
  }
  return (block_figures){
      .byte = byte,
      .threshold = (uint32_t)(byte + settings->emin) << 23,
      .limit = (uint32_t)settings->largest_bits + ((uint32_t)(byte - 127) << 23),
      .before = 1,
      .after = 1,
      .exact = 1,
  };
}

/**
 * An element times `before`, rounded in float64, as float32 bits that `after` is multiplied by. `random` is read where
 * rounding is stochastic.
 */
uint32_t round_element(const rounding_settings *settings, const block_figures *block, float value, uint32_t random);

/** The same, divided by the smallest element and the scale. */
int32_t integer_of_element(const rounding_settings *settings, const block_figures *block, float value, uint32_t random);

#endif
