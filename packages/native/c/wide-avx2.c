#include "vector-avx2.h"

#include "wide-kernels-of-level.h"

const wide_kernels wide_avx2 = WIDE_KERNELS;
