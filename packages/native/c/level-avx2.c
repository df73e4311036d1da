#include "level.h"
#include "vector-avx2.h"

#define TILE_ROWS 4
#define TILE_VECTORS 3
#include "matmul-kernel.h"

const level level_avx2 = {"avx2", matmul};
