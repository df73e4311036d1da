// The common kernels of `float-kernels.h`, over the vectors of the file that includes this.
#include "level-kernels.h"

#include "error-function.h"

#include "adamw-kernel.h"
#include "layer-norm-kernel.h"
#include "softmax-gradient-kernel.h"
#include "turn-kernel.h"
#include "unary-kernel.h"

#include "block-scales.h"
#include "rounding.h"

#include "coded-rows-kernel.h"
#include "decode-kernel.h"
#include "round-kernel.h"

#define COMMON_KERNELS                                                                                                 \
  {.unary = unary,                                                                                                     \
   .adamw = adamw,                                                                                                     \
   .softmax_gradient = softmax_gradient,                                                                               \
   .layer_norm = layer_norm,                                                                                           \
   .layer_norm_gradient = layer_norm_gradient,                                                                         \
   .decode = decode,                                                                                                   \
   .decode_rows = decode_rows,                                                                                         \
   .round_rows = round_rows,                                                                                           \
   .round_slabs = round_slabs,                                                                                         \
   .turn = turn_matrices}
