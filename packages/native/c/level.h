#ifndef LMD_LEVEL_H
#define LMD_LEVEL_H

#include "block-matmul.h"
#include "float-kernels.h"
#include "matmul.h"

/** The kernels for one instruction set. */
typedef struct {
  const char *name;
  void (*matmul)(const matmul_task *task, workspace *space);
  void (*block_matmul)(const block_task *task, workspace *space);
  /** NULL in plain C, which is there for the products' sake: beside them, WebAssembly is faster. */
  const wide_kernels *wide;
  const common_kernels *common;
} level;

/**
 * How many there are for this processor's architecture, the fastest first, those included that this processor lacks.
 */
extern const level *const levels[];
extern const int level_count;
enum { MOST_LEVELS = 5 };

/** Whether this processor and its operating system run a level. */
int level_works(const level *one);

extern const level level_avx512_vnni, level_avx512, level_avx2_vnni, level_avx2, level_neon_dot, level_neon,
    level_scalar;

void coded_attention(const level *level, const coded_attention_task *task, workspace *space);

/** Products of f32 that a level shares with the one that it adds instructions to. */
void matmul_avx512(const matmul_task *task, workspace *space);
void matmul_avx2(const matmul_task *task, workspace *space);
void matmul_neon(const matmul_task *task, workspace *space);

#endif
