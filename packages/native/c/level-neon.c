#include "level.h"
#include "vector-neon.h"

#define PACK_PANEL pack_panel_neon
#define TILE_ROWS 8
#define TILE_VECTORS 3
#include "integers-neon.h"

#include "block-kernel.h"
#include "matmul-kernel.h"

void matmul_neon(const matmul_task *task, workspace *space) { matmul(task, space); }

const level level_neon = {"neon", matmul_neon, block_matmul, &wide_neon, &common_neon};
