#include "vector-avx512.h"

#include "float-kernels-of-level.h"

const float_kernels floats_avx512 = FLOAT_KERNELS;
