// Which instruction sets this processor has. The operating system must save their registers, too.
#include "level.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <cpuid.h>
#include <stdint.h>

static uint64_t saved_registers(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

static int has_avx(void) {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return 0;
  const int fma = (ecx >> 12) & 1, xsave = (ecx >> 27) & 1, avx = (ecx >> 28) & 1;
  return fma && xsave && avx && (saved_registers() & 0x6) == 0x6;
}

static unsigned extended_features(void) {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ? ebx : 0;
}

static int has_avx2(void) { return has_avx() && ((extended_features() >> 5) & 1); }

static int has_avx512(void) {
  // F, DQ, BW and VL: what every such processor but the first two has.
  const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  return has_avx2() && (saved_registers() & 0xe6) == 0xe6 && (extended_features() & wanted) == wanted;
}

const level *const levels[] = {&level_avx512, &level_avx2, &level_scalar};

int level_works(const level *one) {
  if (one == &level_avx512) return has_avx512();
  if (one == &level_avx2) return has_avx2();
  return 1;
}

#elif defined(__aarch64__) || defined(_M_ARM64)

const level *const levels[] = {&level_neon, &level_scalar};

int level_works(const level *one) {
  (void)one;
  return 1;
}

#else

const level *const levels[] = {&level_scalar};

int level_works(const level *one) {
  (void)one;
  return 1;
}

#endif

const int level_count = sizeof levels / sizeof levels[0];
