// Rows of packed weights times rows of f32, by the operations of `packages/backends/assembly/packed-rows.ts`.

/** What is looked up by code, in two bytes, and what is added to codes that have moved to become bfloat16 numbers. */
typedef struct {
  uint8x16_t low, high;
  uint16x8_t offset;
} code_table;

static inline code_table code_table_of(const uint32_t *tables) {
  const uint8_t *bytes = (const uint8_t *)(tables + TABLE_SCALES);
  const unsigned added = bytes[2 * TABLE_CODES] | (unsigned)bytes[2 * TABLE_CODES + 1] << 8;
  return (code_table){vld1q_u8(bytes), vld1q_u8(bytes + TABLE_CODES), vdupq_n_u16((uint16_t)added)};
}

static inline uint8x16_t masked(uint8x16_t x, uint8_t mask) { return vandq_u8(x, vdupq_n_u8(mask)); }

/** The codes of a group, one a byte; those of 6 bits with the sign in bit 7. */
static inline ALWAYS_INLINE uint8x16_t codes_of(packed_kind kind, const uint8_t *chunk, int group) {
  if (kind >= FLOAT8_M3) return vld1q_u8(chunk + 16 * group);
  const uint8x16_t pair = vld1q_u8(chunk + 16 * (group / 2));
  const uint8x16_t nibbles = group % 2 ? vshrq_n_u8(pair, 4) : masked(pair, 15);
  if (kind == NIBBLES) return nibbles;
  const uint8x16_t tops = vld1q_u8(chunk + 32);
  if (group == 3) return nibbles | masked(vshlq_n_u8(tops, 4), 0x10) | masked(vshlq_n_u8(tops, 6), 0x80);
  return nibbles | masked(vshlq_u8(tops, vdupq_n_s8((int8_t)group)), 0x90);
}

static inline uint16x8_t looked_up(const code_table *table, uint8x16_t indices, int last) {
  // Gives 0 from 16 on.
  const uint8x16_t low = vqtbl1q_u8(table->low, indices), high = vqtbl1q_u8(table->high, indices);
  return vreinterpretq_u16_u8(last ? vzip2q_u8(low, high) : vzip1q_u8(low, high));
}

/** Eight codes as bfloat16, the first of a group or the last. */
static inline ALWAYS_INLINE uint16x8_t halves_of(packed_kind kind, uint8x16_t codes, int last,
                                                 const code_table *table) {
  if (kind == NIBBLES) return looked_up(table, codes, last);
  const int8x16_t with_sign = vreinterpretq_s8_u8(codes);
  const int16x8_t wide = last ? vmovl_high_s8(with_sign) : vmovl_s8(vget_low_s8(with_sign));
  const int m3 = kind == FLOAT6_M3 || kind == FLOAT8_M3;
  const uint16x8_t moved = vreinterpretq_u16_s16(m3 ? vshlq_n_s16(wide, 4) : vshlq_n_s16(wide, 5));
  return (moved & vdupq_n_u16(m3 ? 0x87f0 : 0x8fe0)) + table->offset + looked_up(table, masked(codes, 0x7f), last);
}

/** Quarter q of a group. */
static inline ALWAYS_INLINE floats values_of(packed_kind kind, uint8x16_t codes, int q, const code_table *table) {
  if (kind == INTEGER8) return from_integers(shift_signed((words)codes << (24 - 8 * q), 24));
  const words halves = (words)halves_of(kind, codes, q >= 2, table);
  return floats_of(q % 2 ? halves & 0xffff0000u : halves << 16);
}

static inline ALWAYS_INLINE floats group_times(packed_kind kind, const uint8_t *chunk, int group, const float *x,
                                               const code_table *table) {
  const uint8x16_t codes = codes_of(kind, chunk, group);
  floats sum = load(x + 16 * group) * values_of(kind, codes, 0, table);
  for (int q = 1; q < 4; q++) sum = multiply_add(load(x + 16 * group + 4 * q), values_of(kind, codes, q, table), sum);
  return sum;
}

/** A row of codes times a row of x, block by block. */
static inline ALWAYS_INLINE float row_times_packed(packed_kind kind, ptrdiff_t bytes, const packed_task *task,
                                               const code_table *table, const uint8_t *codes, const uint8_t *scales,
                                               const float *x) {
  const float *values = (const float *)task->tables;
  floats sum = splat(0);
  for (ptrdiff_t group = 0; group < 4 * task->chunks; group += 4, codes += bytes, x += CHUNK_CODES) {
    const floats a = group_times(kind, codes, 0, x, table), b = group_times(kind, codes, 1, x, table);
    const floats c = group_times(kind, codes, 2, x, table), d = group_times(kind, codes, 3, x, table);
    const floats first = splat(values[scales[group >> task->shift]]),
                 third = splat(values[scales[(group + 2) >> task->shift]]);
    if (task->shift > 0) {
      sum = multiply_add(c + d, third, multiply_add(a + b, first, sum));
      continue;
    }
    sum = multiply_add(b, splat(values[scales[group + 1]]), multiply_add(a, first, sum));
    sum = multiply_add(d, splat(values[scales[group + 3]]), multiply_add(c, third, sum));
  }
  const float32x2_t two = vadd_f32(vget_low_f32(sum), vget_high_f32(sum));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

static void packed_rows(const packed_task *task) {
  const code_table table = code_table_of(task->tables);
  const ptrdiff_t blocks = (4 * task->chunks + ((ptrdiff_t)1 << task->shift) - 1) >> task->shift;
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    const uint8_t *codes = task->codes, *scales = task->scales + row * blocks;
    const ptrdiff_t start = row * task->chunks;
    for (ptrdiff_t i = 0; i < task->m; i++) {
      const float *x = task->x + i * task->chunks * CHUNK_CODES;
      float *out = task->out + i * task->n + row;
      switch (task->kind) {
        case NIBBLES: *out = row_times_packed(NIBBLES, 32, task, &table, codes + 32 * start, scales, x); break;
        case FLOAT6_M3: *out = row_times_packed(FLOAT6_M3, 48, task, &table, codes + 48 * start, scales, x); break;
        case FLOAT6_M2: *out = row_times_packed(FLOAT6_M2, 48, task, &table, codes + 48 * start, scales, x); break;
        case FLOAT8_M3: *out = row_times_packed(FLOAT8_M3, 64, task, &table, codes + 64 * start, scales, x); break;
        case FLOAT8_M2: *out = row_times_packed(FLOAT8_M2, 64, task, &table, codes + 64 * start, scales, x); break;
        default: *out = row_times_packed(INTEGER8, 64, task, &table, codes + 64 * start, scales, x);
      }
    }
  }
}
