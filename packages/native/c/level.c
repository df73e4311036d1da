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

/** The features of leaf 7, by leaf and register. */
typedef struct {
  unsigned ebx, ecx, more_eax;
} extended;

static extended extended_features(void) {
  unsigned eax, edx, unused[3];
  extended found = {0, 0, 0};
  if (!__get_cpuid_count(7, 0, &eax, &found.ebx, &found.ecx, &edx)) return found;
  if (eax >= 1) __get_cpuid_count(7, 1, &found.more_eax, &unused[0], &unused[1], &unused[2]);
  return found;
}

static int has_avx2(void) { return has_avx() && ((extended_features().ebx >> 5) & 1); }
static int has_avx2_vnni(void) { return has_avx2() && ((extended_features().more_eax >> 4) & 1); }

static int has_avx512(void) {
  // F, DQ, BW and VL: what every such processor but the first two has.
  const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  return has_avx2() && (saved_registers() & 0xe6) == 0xe6 && (extended_features().ebx & wanted) == wanted;
}
static int has_avx512_vnni(void) { return has_avx512() && ((extended_features().ecx >> 11) & 1); }

const level *const levels[] = {&level_avx512_vnni, &level_avx512, &level_avx2_vnni, &level_avx2, &level_scalar};

int level_works(const level *one) {
  if (one == &level_avx512_vnni) return has_avx512_vnni();
  if (one == &level_avx512) return has_avx512();
  if (one == &level_avx2_vnni) return has_avx2_vnni();
  if (one == &level_avx2) return has_avx2();
  return 1;
}

#elif defined(__aarch64__) || defined(_M_ARM64)

#if defined(__linux__)
#include <sys/auxv.h>
static int has_dot_products(void) { return (getauxval(AT_HWCAP) >> 20) & 1; }
#elif defined(_WIN32)
#include <windows.h>
static int has_dot_products(void) { return IsProcessorFeaturePresent(43 /* PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE */); }
#else
// All processors of Apple computers.
static int has_dot_products(void) { return 1; }
#endif

const level *const levels[] = {&level_neon_dot, &level_neon, &level_scalar};

int level_works(const level *one) { return one != &level_neon_dot || has_dot_products(); }

#else

const level *const levels[] = {&level_scalar};

int level_works(const level *one) {
  (void)one;
  return 1;
}

#endif

const int level_count = sizeof levels / sizeof levels[0];
_Static_assert(sizeof levels / sizeof levels[0] <= MOST_LEVELS, "MOST_LEVELS counts them");
