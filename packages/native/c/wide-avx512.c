#include "vector-avx512.h"

#include "wide-kernels-of-level.h"

const wide_kernels wide_avx512 = WIDE_KERNELS;
