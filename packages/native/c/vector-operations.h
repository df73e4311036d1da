// What the vectors of all levels have in common, in the vector extensions of gcc and clang: operators work lane by
// lane, and with one number for all lanes. A comparison gives all ones where it holds. `vector-scalar.h` has the same
// for single floats.
#include <stdint.h>

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef int32_t signed_words __attribute__((vector_size(4 * LANES)));

static inline words bits_of(floats x) { return (words)x; }
static inline floats floats_of(words x) { return (floats)x; }
static inline words splat_word(uint32_t x) { return (words){0} + x; }
static inline words load_words(const void *from) { return bits_of(load(from)); }
static inline void store_words(void *to, words x) { store(to, floats_of(x)); }

static inline floats from_integers(words x) { return __builtin_convertvector((signed_words)x, floats); }
/** With copies of the sign. */
static inline words shift_signed(words x, int count) { return (words)((signed_words)x >> count); }

static inline words is_less(floats a, floats b) { return (words)(a < b); }
static inline words is_least(floats a, floats b) { return (words)(a <= b); }
static inline words is_equal(floats a, floats b) { return (words)(a == b); }
static inline words is_same(words a, words b) { return (words)(a == b); }

/** a·b + c rounded once, of single floats. */
static inline float fused_one(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline float square_root_one(float x) { return __builtin_sqrtf(x); }
