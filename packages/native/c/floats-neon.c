#include "vector-neon.h"

#include "float-kernels-of-level.h"

const float_kernels floats_neon = FLOAT_KERNELS;
