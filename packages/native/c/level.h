#ifndef LMD_LEVEL_H
#define LMD_LEVEL_H

#include "matmul.h"

/** The kernels for one instruction set. */
typedef struct {
  const char *name;
  void (*matmul)(const matmul_task *task, workspace *space);
} level;

/** How many there are for this processor's architecture, the fastest first, those included that this processor lacks. */
extern const level *const levels[];
extern const int level_count;

/** Whether this processor and its operating system run a level. */
int level_works(const level *one);

extern const level level_avx512, level_avx2, level_neon, level_scalar;

#endif
