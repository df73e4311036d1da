#include "level.h"
#include "vector-scalar.h"

#define TILE_ROWS 4
#define TILE_VECTORS 4
#include "matmul-kernel.h"

const level level_scalar = {"scalar", matmul};
