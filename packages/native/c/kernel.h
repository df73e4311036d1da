// What the kernels of a level share. A level's file includes them after its vectors, with TILE_ROWS and TILE_VECTORS:
// the tile whose sums stay in registers; and PACK_PANEL, the name of what packs, which a level with PACKED_BY_OTHERS
// has from that which it adds instructions to.
#ifndef LMD_KERNEL_H
#define LMD_KERNEL_H

#include "attributes.h"

// Plain C is compiled for size.
#if TILE_VECTORS == 1
#define UNROLL
#undef ALWAYS_INLINE
#define ALWAYS_INLINE
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

// Whether another level has products of f32 that gain nothing from wider vectors.
#ifndef REST_BY_OTHERS
#define REST_BY_OTHERS 0
#endif

enum { TILE_COLUMNS = TILE_VECTORS * LANES };

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

#include "pack.h"

#endif
