#include "vector-neon.h"

#define PACKED_ROWS packed_rows
#include "wide-kernels-of-level.h"

#include "packed-rows-neon.h"

const wide_kernels wide_neon = WIDE_KERNELS;
