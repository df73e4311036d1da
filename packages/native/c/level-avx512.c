#include "level.h"
#include "vector-avx512.h"

#define PACK_PANEL pack_panel_avx2
#define PACKED_BY_OTHERS
// Sums of a block and totals share the registers.
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx512.h"

#include "block-kernel.h"

#undef TILE_ROWS
#define TILE_ROWS 12
#include "matmul-kernel.h"

void matmul_avx512(const matmul_task *task, workspace *space) { matmul(task, space); }

const level level_avx512 = {"avx512", matmul_avx512, block_matmul, &wide_avx512, &common_avx2};
