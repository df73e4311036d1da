#include "vector-avx2.h"

#include "common-kernels-of-level.h"

const common_kernels common_avx2 = COMMON_KERNELS;
