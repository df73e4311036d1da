#include "vector-scalar.h"

#include "plain-kernels-of-level.h"

const plain_kernels plain_scalar = PLAIN_KERNELS;
