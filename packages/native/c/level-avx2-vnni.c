#include "level.h"
#include "vector-avx2.h"

#define PACK_PANEL pack_panel_avx2
#define PACKED_BY_OTHERS
#define TILE_ROWS 6
#define TILE_VECTORS 2
#include "integers-avx2-vnni.h"

#include "block-kernel.h"

const level level_avx2_vnni = {"avx2-vnni", matmul_avx2, block_matmul, &wide_avx2, &common_avx2};
