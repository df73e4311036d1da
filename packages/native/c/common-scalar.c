#include "vector-scalar.h"

#include "common-kernels-of-level.h"

const common_kernels common_scalar = COMMON_KERNELS;
