#include "level.h"
#include "vector-neon.h"

#define PACK_PANEL pack_panel_neon
#define PACKED_BY_OTHERS
#define TILE_ROWS 8
#define TILE_VECTORS 3
#include "integers-neon.h"

#include "block-kernel.h"

const level level_neon_dot = {"neon-dot", matmul_neon, block_matmul, &wide_neon, &common_neon};
