#include "vector-scalar.h"

#include "wide-kernels-of-level.h"

const wide_kernels wide_scalar = WIDE_KERNELS;
