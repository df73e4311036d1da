// a·b + c rounded once, without an instruction for it and without the C library's, which is not exact everywhere.
#ifndef LMD_FUSED_SCALAR_H
#define LMD_FUSED_SCALAR_H

#include <stdint.h>
#include <string.h>

static __attribute__((noinline)) float fused_scalar(float a, float b, float c) {
  // The product is exact in float64. The sum is rounded to odd there, so that rounding it again, to float32, rounds as
  // if once (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE Transactions on Computers 57,
  // 2008).
  const double product = (double)a * b, sum = product + c;
  const double taken = sum - product, rest = (product - (sum - taken)) + (c - taken);
  uint64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  // Where something is infinite or NaN, so is the sum, and the rest is NaN.
  if ((rest > 0 || rest < 0) && !(bits & 1)) bits += (rest > 0) == (sum > 0) ? 1 : -1;
  double odd;
  memcpy(&odd, &bits, sizeof odd);
  return (float)odd;
}

#endif
