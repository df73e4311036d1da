// Rows of packed weights times rows of f32: see `packages/backends/assembly/packed-rows.ts`. The four groups of a chunk
// lie side by side in one vector, where each keeps its four sums; across groups, sums are added as there.

typedef __m128 four;

/**
 * What is looked up by code, in vectors: of 4 bits the floats, of 6 bits those of the magnitudes, of 8 bits corrections
 * of the upper halves.
 */
typedef struct {
  words low, high, offset;
  /** By how much a code moves to become the upper half of a float. */
  int moved;
} code_table;

static code_table code_table_of(packed_kind kind, const uint32_t *tables) {
  const uint8_t *bytes = (const uint8_t *)(tables + TABLE_SCALES);
  const uint32_t offset = bytes[2 * TABLE_CODES] | (uint32_t)bytes[2 * TABLE_CODES + 1] << 8;
  const int moved = kind == FLOAT6_M3 || kind == FLOAT8_M3 ? 4 : 5;
  const int is_six = kind == FLOAT6_M3 || kind == FLOAT6_M2;
  uint32_t entries[2 * TABLE_CODES];
  for (uint32_t i = 0; i < 2 * TABLE_CODES; i++) {
    const uint32_t entry = i < TABLE_CODES ? bytes[i] | (uint32_t)bytes[TABLE_CODES + i] << 8 : 0;
    entries[i] = kind == NIBBLES ? entry << 16 : is_six ? ((i << moved) + offset + entry) << 16 : entry;
  }
  return (code_table){load_words(entries), load_words(entries + TABLE_CODES), splat_word(offset), moved};
}

/** Quarter q of all groups of a chunk of 8-bit floats, a code a word with its byte at the bottom. */
static inline ALWAYS_INLINE words quarter_of_bytes(__m512i bytes, int q) {
  const __m512i zero = _mm512_setzero_si512();
  const words pairs = (words)(q < 2 ? _mm512_unpacklo_epi16(bytes, zero) : _mm512_unpackhi_epi16(bytes, zero));
  return pairs >> (8 * (q & 1));
}

/** The same of 4 bits, with others above: of 16 bytes, one group in the low nibbles and the next in the high ones. */
static inline ALWAYS_INLINE words quarter_of_nibbles(__m256i bytes, int q) {
  // Pairs of bytes go to where they are shifted to the bottom, two quarters at once.
  const words pair = {0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11};
  const words index = pair + (q < 2 ? 0u : 4u);
  const __m512i pairs = _mm512_permutexvar_epi16((__m512i)index, _mm512_castsi256_si512(bytes));
  const words shifts = (words){0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4} + (uint32_t)(8 * (q & 1));
  return (words)_mm512_srlv_epi32(pairs, (__m512i)shifts);
}

/** Quarter q of all groups of a chunk of 6-bit floats: nibbles, then bytes with the upper two bits of four codes. */
static inline ALWAYS_INLINE floats quarter_of_six(const uint8_t *codes, int q, const code_table *table) {
  const words nibbles = quarter_of_nibbles(_mm256_loadu_si256((const __m256i *)codes), q);
  const __m512i bytes = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(codes + 32)));
  const words tops = quarter_of_bytes(bytes, q);
  // To bit 4, and the sign to the bit of a float.
  const words fourth = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4};
  const words sign = {24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26, 30, 30, 30, 30};
  const words low = splat_word(15), top = splat_word(0x80000000);
  // Of its index, a lookup takes the lowest five bits.
  const words index = (nibbles & low) | ((tops << fourth) & ~low);
  const __m512i size = _mm512_permutex2var_epi32((__m512i)table->low, (__m512i)index, (__m512i)table->high);
  // WebAssembly adds the sign, and drops the carry: the same bits for tables that are not of floats too.
  return floats_of((words)size ^ ((tops << sign) & top));
}

/** Quarter q of all groups of a chunk, as f32. `kind` is a constant wherever this is inlined. */
static inline ALWAYS_INLINE floats values_of(packed_kind kind, const uint8_t *codes, int q, const code_table *table) {
  if (kind == INTEGER8) {
    const words all = (words)_mm512_loadu_si512(codes);
    return from_integers(shift_signed(all << (24 - 8 * q), 24));
  }
  if (kind == NIBBLES) {
    const words code = quarter_of_nibbles(_mm256_loadu_si256((const __m256i *)codes), q);
    // By the lowest four bits.
    return floats_of((words)_mm512_permutexvar_epi32((__m512i)code, (__m512i)table->low));
  }
  if (kind == FLOAT6_M3) return quarter_of_six(codes, q, table);
  const words code = quarter_of_bytes(_mm512_loadu_si512(codes), q) & 0xffu;
  const words size = code & 0x7fu, small = (words)_mm512_permutexvar_epi32((__m512i)size, (__m512i)table->low);
  const words correction = small & (words)(size < splat_word(TABLE_CODES));
  return floats_of(((size << table->moved) + ((code & 0x80u) << 8) + table->offset + correction) << 16);
}

static inline ALWAYS_INLINE four scale_from(const packed_task *task, const uint8_t *scales, ptrdiff_t group) {
  return _mm_broadcast_ss((const float *)task->tables + scales[group >> task->shift]);
}

/** Adds the sums of the groups of a chunk, in the order of blocks. */
static inline ALWAYS_INLINE four add_groups(const packed_task *task, floats groups, const uint8_t *scales,
                                            ptrdiff_t chunk, four sum) {
  const ptrdiff_t group = 4 * chunk;
  if (task->shift == 0) {
    sum = _mm_fmadd_ps(_mm512_extractf32x4_ps(groups, 0), scale_from(task, scales, group), sum);
    sum = _mm_fmadd_ps(_mm512_extractf32x4_ps(groups, 1), scale_from(task, scales, group + 1), sum);
    sum = _mm_fmadd_ps(_mm512_extractf32x4_ps(groups, 2), scale_from(task, scales, group + 2), sum);
    return _mm_fmadd_ps(_mm512_extractf32x4_ps(groups, 3), scale_from(task, scales, group + 3), sum);
  }
  const floats pairs = groups + _mm512_shuffle_f32x4(groups, groups, 0xb1);
  sum = _mm_fmadd_ps(_mm512_castps512_ps128(pairs), scale_from(task, scales, group), sum);
  return _mm_fmadd_ps(_mm512_extractf32x4_ps(pairs, 2), scale_from(task, scales, group + 2), sum);
}

/** Rows of weights that are multiplied together: x is arranged once for all. */
enum { TOGETHER = 8 };

/** Up to `TOGETHER` rows of weights times one of x. */
static inline ALWAYS_INLINE void multiply_rows(packed_kind kind, ptrdiff_t bytes, const packed_task *task,
                                               const code_table *table, ptrdiff_t first, ptrdiff_t count,
                                               const float *x, float *out) {
  const ptrdiff_t blocks = (4 * task->chunks + ((ptrdiff_t)1 << task->shift) - 1) >> task->shift;
  // The next rows follow these in memory. Processors see no pattern in so many short streams.
  const ptrdiff_t ahead = TOGETHER * task->chunks * bytes;
  const uint8_t *codes[TOGETHER], *scales[TOGETHER];
  four sums[TOGETHER];
  for (int r = 0; r < TOGETHER; r++) {
    // Where rows are missing, the last one again.
    const ptrdiff_t row = first + (r < count ? r : count - 1);
    codes[r] = task->codes + row * task->chunks * bytes, scales[r] = task->scales + row * blocks;
    sums[r] = _mm_setzero_ps();
  }
  for (ptrdiff_t chunk = 0; chunk < task->chunks; chunk++, x += CHUNK_CODES) {
    const floats a = load(x), b = load(x + 16), c = load(x + 32), d = load(x + 48);
    const floats ab = _mm512_shuffle_f32x4(a, b, 0x44), cd = _mm512_shuffle_f32x4(c, d, 0x44);
    const floats ba = _mm512_shuffle_f32x4(a, b, 0xee), dc = _mm512_shuffle_f32x4(c, d, 0xee);
    const floats inputs[4] = {_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd),
                              _mm512_shuffle_f32x4(ba, dc, 0x88), _mm512_shuffle_f32x4(ba, dc, 0xdd)};
    for (int r = 0; r < TOGETHER; r++) {
      const uint8_t *own = codes[r] + chunk * bytes;
      __builtin_prefetch(own + ahead);
      floats groups = inputs[0] * values_of(kind, own, 0, table);
      groups = multiply_add(inputs[1], values_of(kind, own, 1, table), groups);
      groups = multiply_add(inputs[2], values_of(kind, own, 2, table), groups);
      groups = multiply_add(inputs[3], values_of(kind, own, 3, table), groups);
      sums[r] = add_groups(task, groups, scales[r], chunk, sums[r]);
    }
  }
  for (ptrdiff_t r = 0; r < count; r++) {
    const four two = _mm_add_ps(sums[r], _mm_movehl_ps(sums[r], sums[r]));
    _mm_store_ss(out + r, _mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
  }
}

static void packed_rows(const packed_task *task) {
  const code_table table = code_table_of(task->kind, task->tables);
  for (ptrdiff_t row = task->from; row < task->to; row += TOGETHER) {
    const ptrdiff_t count = task->to - row < TOGETHER ? task->to - row : TOGETHER;
    for (ptrdiff_t i = 0; i < task->m; i++) {
      const float *x = task->x + i * task->chunks * CHUNK_CODES;
      float *out = task->out + i * task->n + row;
      switch (task->kind) {
        case NIBBLES: multiply_rows(NIBBLES, 32, task, &table, row, count, x, out); break;
        case FLOAT6_M3:
        case FLOAT6_M2: multiply_rows(FLOAT6_M3, 48, task, &table, row, count, x, out); break;
        case FLOAT8_M3:
        case FLOAT8_M2: multiply_rows(FLOAT8_M3, 64, task, &table, row, count, x, out); break;
        default: multiply_rows(INTEGER8, 64, task, &table, row, count, x, out);
      }
    }
  }
}
