#include "level.h"
#include "vector-avx512.h"

#define TILE_ROWS 12
#define TILE_VECTORS 2
#include "integers-avx512-vnni.h"

#include "block-kernel.h"

const level level_avx512_vnni = {"avx512-vnni", matmul_avx512, block_matmul, &floats_avx512, &plain_avx512};
