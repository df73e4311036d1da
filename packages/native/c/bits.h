// What follows from the operations of a level's vectors.

static inline floats select_floats(words mask, floats a, floats b) {
  return floats_of((bits_of(a) & mask) | (bits_of(b) & ~mask));
}
static inline floats absolute(floats x) { return floats_of(bits_of(x) & 0x7fffffffu); }
static inline floats negative(floats x) { return floats_of(bits_of(x) ^ 0x80000000u); }

/** −1, 0 or 1; keeps NaN and the sign of zero. */
static inline floats sign_of(floats x) {
  const floats one = floats_of((bits_of(x) & 0x80000000u) | 0x3f800000u), zero = splat(0);
  return select_floats(is_less(x, zero) | is_less(zero, x), one, x);
}

// A loop over vectors has one body, and its last vector may have lanes that are 0 and not stored.
static inline ALWAYS_INLINE floats load_some(const float *from, ptrdiff_t left) {
  return left >= LANES ? load(from) : load_first(from, (int)left);
}
static inline ALWAYS_INLINE void store_some(float *to, floats x, ptrdiff_t left) {
  if (left >= LANES) store(to, x);
  else store_first(to, x, (int)left);
}

/** The upper 24 bits of words as fractions. */
static inline floats uniform_of(words word) { return from_integers(word >> 8) * splat(0x1p-24f); }
