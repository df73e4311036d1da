// The kernels of `float-kernels.h` that multiply and add nowhere, over the vectors of the file that includes this.
#include <string.h>

#include "attributes.h"
#include "float-kernels.h"

#include "bits.h"

#include "binary-kernel.h"
#include "unary-kernel.h"

#include "block-scales.h"
#include "round-kernel.h"
#include "encode-kernel.h"

#define PLAIN_KERNELS \
  { .unary = unary, .binary = binary, .encode = encode, .decode = decode, .round_rows = round_rows, .round_slabs = round_slabs }
