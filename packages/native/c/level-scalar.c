#include "level.h"
#include "vector-scalar.h"

#define PACK_PANEL pack_panel_scalar
#define TILE_ROWS 1
#define TILE_VECTORS 1
#include "integers-scalar.h"

#include "block-kernel.h"
#include "matmul-kernel.h"

const level level_scalar = {"scalar", matmul, block_matmul, NULL, NULL};
