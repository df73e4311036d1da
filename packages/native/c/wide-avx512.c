#include "vector-avx512.h"

#define PACKED_ROWS packed_rows
#include "wide-kernels-of-level.h"

#include "packed-rows-avx512.h"

const wide_kernels wide_avx512 = WIDE_KERNELS;
