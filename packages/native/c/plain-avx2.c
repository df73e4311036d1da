#include "vector-avx2.h"

#include "plain-kernels-of-level.h"

const plain_kernels plain_avx2 = PLAIN_KERNELS;
