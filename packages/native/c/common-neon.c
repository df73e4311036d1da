#include "vector-neon.h"

#include "common-kernels-of-level.h"

const common_kernels common_neon = COMMON_KERNELS;
