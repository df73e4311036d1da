#include "vector-avx2.h"

#include "float-kernels-of-level.h"

const float_kernels floats_avx2 = FLOAT_KERNELS;
