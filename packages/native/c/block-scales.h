// Scales of blocks, and sums where a number could be none of the normal ones.
#ifndef LMD_BLOCK_SCALES_H
#define LMD_BLOCK_SCALES_H

#include <string.h>

#include "block-matmul.h"

static inline float e8m0_scale(uint8_t byte) {
  // 2^-127 is a subnormal number.
  const uint32_t bits = byte == 255 ? 0x7fc00000u : byte == 0 ? 0x00400000u : (uint32_t)byte << 23;
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return scale;
}

/** The scale of a block, by its place among all of the operand, times the unit. */
static inline float scale_at(const block_operand *x, ptrdiff_t place) {
  return (x->float_scales ? ((const float *)x->scales)[place] : e8m0_scale(((const uint8_t *)x->scales)[place])) *
         x->unit;
}

/** A number of at most 24 bits as f32 has it: ±Infinity beyond its range, 0 below its normal numbers. */
static inline double limited(double t) {
  if (t < 0x1p-126 && t > -0x1p-126) return 0;
  return t >= 0x1p128 ? __builtin_inf() : t <= -0x1p128 ? -__builtin_inf() : t;
}

/** y ← y + sum·scale by the definition. */
static inline float add_limited(float y, int32_t sum, double scale) {
  // Exact in float64; and a sum of two f32 numbers there, rounded to f32, is the f32 sum.
  const float next = (float)((double)y + limited(sum * scale));
  return next < 0x1p-126f && next > -0x1p-126f ? 0 : next;
}

#endif
