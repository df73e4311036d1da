// Random numbers and memory for the checks.
#ifndef LMD_RANDOM_VALUES_H
#define LMD_RANDOM_VALUES_H

#include <math.h>
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

/** A whole number from 0 to `below` - 1 (splitmix64). */
static int random_below(int below) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (int)((z ^ (z >> 31)) >> 33) % below;
}

static inline ptrdiff_t random_extent(void) {
  static const int edges[] = {1, 31, 33, 96, 97, 241, 256, 257, 300};
  return random_below(4) == 0 ? edges[random_below(sizeof edges / sizeof *edges)] : 1 + random_below(40);
}

static inline void *take(size_t bytes) {
  void *memory = malloc(bytes);
  if (memory == NULL) exit(2);
  return memory;
}

static inline float *random_floats(ptrdiff_t count) {
  float *values = take((size_t)count * sizeof *values);
  for (ptrdiff_t i = 0; i < count; i++) {
    values[i] =
        ldexpf((float)(random_below(1 << 20) - (1 << 19)), random_below(40) - 38 - (random_below(50) == 0 ? 100 : 0));
  }
  return values;
}

static inline int differ(const float *a, const float *b, ptrdiff_t count, const char *what, const char *name) {
  for (ptrdiff_t i = 0; i < count; i++) {
    if (memcmp(a + i, b + i, sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
      printf("%s, %s: element %td is %a, not %a\n", what, name, i, (double)a[i], (double)b[i]);
      return 1;
    }
  }
  return 0;
}

#endif
