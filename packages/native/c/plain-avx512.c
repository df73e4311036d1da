#include "vector-avx512.h"

#include "plain-kernels-of-level.h"

const plain_kernels plain_avx512 = PLAIN_KERNELS;
