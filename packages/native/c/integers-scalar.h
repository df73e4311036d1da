// One integer at a time, in plain C, with the operations that `block-kernel.h` uses.
typedef int32_t ints;
/** Whether a tile leaves registers for totals. */
enum { TOTALS_STAY = 0 };
enum { NARROW = 1, OFFSET = 0 };

static inline ints load_ints(const void *from) {
  ints x;
  memcpy(&x, from, sizeof x);
  return x;
}
static inline ints load_kept(const void *from) { return load_ints(from); }
static inline void store_ints(int32_t *to, ints x) { *to = x; }
static inline ints splat_ints(int32_t x) { return x; }
static inline floats to_floats(ints x) { return (float)x; }
/** sums += the products of pairs. */
static inline ints dot_wide(ints sums, ints a, ints b) {
  int16_t x[2], y[2];
  memcpy(x, &a, sizeof x);
  memcpy(y, &b, sizeof y);
  return sums + x[0] * y[0] + x[1] * y[1];
}
/** sums += the products of four bytes. */
static inline ints dot_narrow(ints sums, ints a, ints b) {
  int8_t x[4], y[4];
  memcpy(x, &a, sizeof x);
  memcpy(y, &b, sizeof y);
  for (int i = 0; i < 4; i++) sums += x[i] * y[i];
  return sums;
}
static inline ints correction_of(ints sum) { return sum; }
