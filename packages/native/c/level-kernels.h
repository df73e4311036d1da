// What the kernels beside the products are made of, over the vectors of the file that includes this.
#include <string.h>

#include "attributes.h"
#include "float-kernels.h"

static inline floats multiply_add(floats a, floats b, floats c) { return fused_multiply_add(a, b, c); }

#include "bits.h"
#include "lane-sums.h"
#include "exponential.h"
#include "logarithm.h"
