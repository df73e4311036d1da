#include "level.h"
#include "vector-avx512.h"

#define PACK_PANEL pack_panel_avx2
#define PACKED_BY_OTHERS
#define REST_BY_OTHERS 1
// Sums of a block and totals share the registers.
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx512.h"

#include "block-kernel.h"

#undef TILE_ROWS
#define TILE_ROWS 12
#include "matmul-kernel.h"

// A row times a transposed matrix has sums in eight lanes at every level. Strict arithmetic is for the same bits
// everywhere, not for speed. Together they would be 2 kB.
void matmul_avx512(const matmul_task *task, workspace *space) {
  const int by_others = !task->fused || (task->m == 1 && task->transpose_b);
  (by_others ? matmul_avx2 : matmul)(task, space);
}

const level level_avx512 = {"avx512", matmul_avx512, block_matmul, &wide_avx512, &common_avx2};
