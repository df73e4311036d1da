#include "level.h"
#include "vector-avx2.h"

#define PACK_PANEL pack_panel_avx2
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx2.h"

#include "block-kernel.h"
#include "matmul-kernel.h"

void matmul_avx2(const matmul_task *task, workspace *space) { matmul(task, space); }

const level level_avx2 = {"avx2", matmul_avx2, block_matmul, &wide_avx2, &common_avx2};
