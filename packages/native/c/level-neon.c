#include "level.h"
#include "vector-neon.h"

#define TILE_ROWS 8
#define TILE_VECTORS 3
#include "matmul-kernel.h"

const level level_neon = {"neon", matmul};
