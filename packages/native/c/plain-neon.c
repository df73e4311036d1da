#include "vector-neon.h"

#include "plain-kernels-of-level.h"

const plain_kernels plain_neon = PLAIN_KERNELS;
