// The kernels of `float-kernels.h` that multiply and add, over the vectors of the file that includes this.
#include <string.h>

#include "attributes.h"
#include "float-kernels.h"

static inline floats multiply_add(floats a, floats b, floats c) { return fused_multiply_add(a, b, c); }

#include "bits.h"
#include "lane-sums.h"

#include "exponential.h"
#include "logarithm.h"
#include "error-function.h"

#include "gelu-kernel.h"
#include "transcendental-kernel.h"

#include "random-kernel.h"
#include "optimizer-kernel.h"

#include "softmax-kernel.h"
#include "cross-entropy-kernel.h"
#include "layer-norm-kernel.h"

#define FLOAT_KERNELS \
  { \
    .transcendental = transcendental, .gelu = gelu, .random = random_numbers, .lmd_draw = lmd_draw, .lmd_update = lmd_update, \
    .adamw = adamw, .softmax = softmax, .softmax_gradient = softmax_gradient, .cross_entropy = cross_entropy, \
    .layer_norm = layer_norm, .layer_norm_gradient = layer_norm_gradient \
  }
