// Random bits, uniforms and normals, as @lmd/core defines them: Philox4x32-10 (Salmon et al., SC 2011), a counter block
// a lane, and Box–Muller. The operations are those of `assembly/philox.ts` and `assembly/random.ts`.

/** Elements that one vector of counters gives. */
enum { DRAWN = 4 * LANES };

/** What all blocks of a key share: the blocks differ in the last word of the counter alone. */
typedef struct {
  uint32_t first_high, first_low, third_high, third_low, second_low;
  random_key key;
} schedule;

static inline schedule schedule_of(random_key key) {
  const uint64_t first0 = (uint64_t)key.stream * 0xd2511f53u, first1 = (uint64_t)key.sample * 0xcd9e8d57u;
  const uint64_t second = (uint64_t)((uint32_t)(first1 >> 32) ^ key.step ^ key.seed_low) * 0xd2511f53u;
  const uint64_t third =
      (uint64_t)((uint32_t)(second >> 32) ^ (uint32_t)first0 ^ (key.seed_high + 0xbb67ae85u)) * 0xcd9e8d57u;
  return (schedule){
      .first_high = (uint32_t)(first0 >> 32) ^ key.seed_high,
      .first_low = (uint32_t)first1 ^ (key.seed_low + 0x9e3779b9u),
      .third_high = (uint32_t)(third >> 32) ^ (key.seed_low + 2u * 0x9e3779b9u),
      .third_low = (uint32_t)third,
      .second_low = (uint32_t)second ^ (key.seed_high + 2u * 0xbb67ae85u),
      .key = key,
  };
}

/** Words of blocks after three rounds, most of them those that all blocks share. */
static inline ALWAYS_INLINE void begin_philox(const schedule *shared, uint32_t group, words c[4]) {
  words low0, high0, low1, high1;
  multiply_wide((lane_numbers() + group) ^ shared->first_high, 0xcd9e8d57u, &low1, &high1);
  multiply_wide(high1 ^ shared->first_low, 0xd2511f53u, &low0, &high0);
  c[0] = low1 ^ shared->third_high;
  c[1] = splat_word(shared->third_low);
  c[2] = high0 ^ shared->second_low;
  c[3] = low0;
}

static inline ALWAYS_INLINE void philox_round(words c[4], words key0, words key1) {
  words low0, high0, low1, high1;
  multiply_wide(c[0], 0xd2511f53u, &low0, &high0);
  multiply_wide(c[2], 0xcd9e8d57u, &low1, &high1);
  c[0] = high1 ^ c[1] ^ key0;
  c[2] = high0 ^ c[3] ^ key1;
  c[1] = low1, c[3] = low0;
}

/**
 * Where blocks begin: two schedules of one seed, or one twice. A round waits for the one before, but not for a twin.
 */
typedef struct {
  const schedule *shared;
  uint32_t group;
} blocks_at;

/** Four words of each block from `a` on, and of each from `b` on. */
static NEVER_INLINE void philox(blocks_at a, blocks_at b, words c[8]) {
  words x[4], y[4];
  begin_philox(a.shared, a.group, x);
  begin_philox(b.shared, b.group, y);
  words key0 = splat_word(a.shared->key.seed_low + 2u * 0x9e3779b9u);
  words key1 = splat_word(a.shared->key.seed_high + 2u * 0xbb67ae85u);
  for (int round = 3; round < 10; round++) {
    key0 += 0x9e3779b9u, key1 += 0xbb67ae85u;
    philox_round(x, key0, key1);
    philox_round(y, key0, key1);
  }
  for (int i = 0; i < 4; i++) c[i] = x[i], c[4 + i] = y[i];
}

/** √(−2 ln u1) with u1 = ((word >>> 8) + 1)·2^-24. */
static inline ALWAYS_INLINE floats radius(words word) {
  const words k = bits_of(from_integers((word >> 8) + 1u));
  // k = m·2^(e + 24) with m in [√½, √2): the bits of √½·2^24 taken away leave e in the exponent field. What is left is
  // m·2^24, by which the quotient is as by m.
  const words e = shift_signed(k - 0x4b3504f3u, 23);
  const floats m = floats_of(k - (e << 23)), one = splat(16777216);
  // −2 ln m = −4 artanh f
  const floats f = (m - one) / (m + one), z = f * f;
  floats series = multiply_add(z, splat(-4.0f / 9), splat(-4.0f / 7));
  series = multiply_add(series, z, splat(-4.0f / 5));
  series = multiply_add(series, z, splat(-4.0f / 3));
  series = multiply_add(series, z, splat(-4));
  return square_root(multiply_add(from_integers(e), splat(-1.3862943611198906f), f * series));
}

/** Two normals of two words. */
static inline ALWAYS_INLINE void box_muller(words first, words word, floats *x, floats *y) {
  const floats size = radius(first);
  // A turn of (word >>> 8)·2^-24 is quarters, and up to an eighth to either side, which twice the word, as a signed
  // number, is: the angle keeps its relative precision near the zeros.
  const floats a = from_integers((word << 2) & 0xfffffc00u) * splat(3.6572951981e-10f), z = a * a;
  floats sine = multiply_add(z, splat(-1.9515295891e-4f), splat(8.3321608736e-3f));
  sine = multiply_add(sine, z, splat(-1.6666654611e-1f));
  sine = multiply_add(sine * z, a, a);
  floats cosine = multiply_add(z, splat(2.443315711809948e-5f), splat(-1.388731625493765e-3f));
  cosine = multiply_add(cosine, z, splat(4.166664568298827e-2f));
  cosine = multiply_add(cosine * z, z, multiply_add(z, splat(-0.5f), splat(1)));
  // The two upper bits are the quarter: in odd ones sine and cosine change places; cosines are negative in 1 and 2,
  // sines in 2 and 3.
  const words quarter = word + 0x20000000u, lower = quarter << 1;
  const words exchange = (bits_of(sine) ^ bits_of(cosine)) & shift_signed(lower, 31);
  *x = size * floats_of(bits_of(cosine) ^ exchange ^ ((quarter ^ lower) & 0x80000000u));
  *y = size * floats_of(bits_of(sine) ^ exchange ^ (quarter & 0x80000000u));
}

/** The normals of DRAWN elements from each place on. */
static NEVER_INLINE void draw_normals(blocks_at a, float *out_a, blocks_at b, float *out_b) {
  words c[8];
  floats x[8];
  philox(a, b, c);
  for (int i = 0; i < 8; i += 2) box_muller(c[i], c[i + 1], &x[i], &x[i + 1]);
  store_interleaved(out_a, x[0], x[1], x[2], x[3]);
  store_interleaved(out_b, x[4], x[5], x[6], x[7]);
}

static void draw_others(blocks_at a, float *out_a, blocks_at b, float *out_b, random_kind kind) {
  words c[8];
  philox(a, b, c);
  for (int i = 0; i < 8; i++) c[i] = kind == RANDOM_UNIFORM ? bits_of(uniform_of(c[i])) : c[i];
  store_interleaved(out_a, floats_of(c[0]), floats_of(c[1]), floats_of(c[2]), floats_of(c[3]));
  store_interleaved(out_b, floats_of(c[4]), floats_of(c[5]), floats_of(c[6]), floats_of(c[7]));
}

static void random_numbers(const random_task *task) {
  const schedule shared = schedule_of(task->key);
  for (ptrdiff_t i = task->from; i < task->to; i += 2 * DRAWN) {
    const ptrdiff_t left = task->to - i;
    float aside[2 * DRAWN], *out = left < 2 * DRAWN ? aside : task->target + i;
    const blocks_at first = {&shared, (uint32_t)i / 4}, second = {&shared, (uint32_t)i / 4 + LANES};
    if (task->kind == RANDOM_NORMAL) draw_normals(first, out, second, out + DRAWN);
    else draw_others(first, out, second, out + DRAWN, task->kind);
    if (left < 2 * DRAWN) memcpy(task->target + i, aside, (size_t)left * sizeof *aside);
  }
}
