#include "level.h"
#include "vector-avx512.h"

#define PACK_PANEL pack_panel_avx2
#define PACKED_BY_OTHERS
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx512-vnni.h"

#include "block-kernel.h"

const level level_avx512_vnni = {"avx512-vnni", matmul_avx512, block_matmul, &wide_avx512, &common_avx2};
