#include "vector-scalar.h"

#include "float-kernels-of-level.h"

const float_kernels floats_scalar = FLOAT_KERNELS;
