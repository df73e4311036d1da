#include "level.h"
#include "vector-avx512.h"

#define TILE_ROWS 12
#define TILE_VECTORS 2
#include "matmul-kernel.h"

const level level_avx512 = {"avx512", matmul};
