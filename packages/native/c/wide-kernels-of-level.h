// The wide kernels of `float-kernels.h`, over the vectors of the file that includes this.
#include "level-kernels.h"

#include "gelu-kernel.h"
#include "random-kernel.h"
#include "lmd-kernel.h"
#include "softmax-kernel.h"
#include "cross-entropy-kernel.h"

#include "rounding.h"

#include "encode-kernel.h"
#include "encode-columns-kernel.h"

#ifndef PACKED_ROWS
#define PACKED_ROWS NULL
#endif

#define WIDE_KERNELS                                                                                                   \
  {.gelu = gelu,                                                                                                       \
   .random = random_numbers,                                                                                           \
   .lmd_draw = lmd_draw,                                                                                               \
   .lmd_update = lmd_update,                                                                                           \
   .softmax = softmax,                                                                                                 \
   .cross_entropy = cross_entropy,                                                                                     \
   .encode = encode,                                                                                                   \
   .encode_columns = encode_columns,                                                                                   \
   .packed_rows = PACKED_ROWS}
