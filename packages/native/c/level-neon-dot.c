#include "level.h"
#include "vector-neon.h"

#define TILE_ROWS 8
#define TILE_VECTORS 3
#include "integers-neon.h"

#include "block-kernel.h"

const level level_neon_dot = {"neon-dot", matmul_neon, block_matmul, &floats_neon, &plain_neon};
