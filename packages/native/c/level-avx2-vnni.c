#include "level.h"
#include "vector-avx2.h"

#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx2-vnni.h"

#include "block-kernel.h"

const level level_avx2_vnni = {"avx2-vnni", matmul_avx2, block_matmul, &floats_avx2, &plain_avx2};
