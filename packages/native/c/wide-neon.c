#include "vector-neon.h"

#include "wide-kernels-of-level.h"

const wide_kernels wide_neon = WIDE_KERNELS;
