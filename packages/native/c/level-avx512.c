#include "level.h"
#include "vector-avx512.h"

#define TILE_ROWS 12
#define TILE_VECTORS 2
#include "integers-avx512.h"

#include "block-kernel.h"
#include "matmul-kernel.h"

void matmul_avx512(const matmul_task *task, workspace *space) { matmul(task, space); }

const level level_avx512 = {"avx512", matmul_avx512, block_matmul, &floats_avx512, &plain_avx512};
