// Rows of packed weights against the definition of `packages/backends/assembly/packed-rows.ts`, one value at a time. A
// level without the kernel leaves it to WebAssembly.
#include "compare.h"

static uint8_t packed_code(packed_kind kind, const uint8_t *chunk, int group, int i) {
  // Code 8h + 4p + l of a group is byte 8h + 2l + p.
  const int place = (i & 8) + 2 * (i & 3) + (i >> 2 & 1);
  if (kind >= FLOAT8_M3) return chunk[16 * group + place];
  const uint8_t nibble = (chunk[16 * (group / 2) + place] >> (4 * (group & 1))) & 15;
  if (kind == NIBBLES) return nibble;
  static const int fifths[] = {4, 3, 2, 0}, signs[] = {7, 6, 5, 1};
  const uint8_t tops = chunk[32 + place];
  return (uint8_t)(nibble | ((tops >> fifths[group]) & 1) << 4 | ((tops >> signs[group]) & 1) << 7);
}

static float packed_value(const packed_task *task, const uint8_t *chunk, int group, int i) {
  if (task->kind == INTEGER8) return (float)((const int8_t *)chunk)[16 * group + 4 * (i & 3) + (i >> 2)];
  const uint8_t *bytes = (const uint8_t *)(task->tables + TABLE_SCALES);
  const uint8_t code = packed_code(task->kind, chunk, group, i);
  const uint32_t size = code & 127, entry = task->kind == NIBBLES ? code : size < TABLE_CODES ? size : 0;
  uint32_t half = bytes[entry] | (uint32_t)bytes[TABLE_CODES + entry] << 8;
  if (task->kind != NIBBLES) {
    const int moved = task->kind == FLOAT6_M3 || task->kind == FLOAT8_M3 ? 4 : 5;
    const uint32_t added = bytes[2 * TABLE_CODES] | (uint32_t)bytes[2 * TABLE_CODES + 1] << 8;
    half = (size << moved) + ((code & 128u) << 8) + added + (size < TABLE_CODES ? half : 0);
  }
  const uint32_t bits = half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void packed_rows_plain(const packed_task *task) {
  const ptrdiff_t bytes = task->kind == NIBBLES ? 32 : task->kind <= FLOAT6_M2 ? 48 : 64;
  const ptrdiff_t blocks = (4 * task->chunks + ((ptrdiff_t)1 << task->shift) - 1) >> task->shift;
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    for (ptrdiff_t m = 0; m < task->m; m++) {
      float sums[4] = {0};
      for (ptrdiff_t chunk = 0; chunk < task->chunks; chunk++) {
        const uint8_t *codes = task->codes + (row * task->chunks + chunk) * bytes;
        const float *x = task->x + (m * task->chunks + chunk) * CHUNK_CODES;
        for (int l = 0; l < 4; l++) {
          float groups[4];
          for (int group = 0; group < 4; group++) {
            groups[group] = x[16 * group + l] * packed_value(task, codes, group, l);
            for (int i = l + 4; i < 16; i += 4)
              groups[group] = fmaf(x[16 * group + i], packed_value(task, codes, group, i), groups[group]);
          }
          const int together = task->shift == 0 ? 1 : 2;
          for (int group = 0; group < 4; group += together) {
            const uint8_t byte = task->scales[row * blocks + ((4 * chunk + group) >> task->shift)];
            const float sum = together == 1 ? groups[group] : groups[group] + groups[group + 1];
            sums[l] = fmaf(sum, ((const float *)task->tables)[byte], sums[l]);
          }
        }
      }
      task->out[m * task->n + row] = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    }
  }
}

static int check_packed_rows(void) {
  packed_task task = {.kind = (packed_kind)random_below(PACKED_COUNT),
                      .shift = random_below(5),
                      .chunks = 1 + random_below(6),
                      .m = 1 + random_below(4),
                      .n = 1 + random_below(40)};
  task.to = task.n, task.from = random_below((int)task.n);
  const ptrdiff_t bytes = task.kind == NIBBLES ? 32 : task.kind <= FLOAT6_M2 ? 48 : 64;
  const ptrdiff_t blocks = (4 * task.chunks + ((ptrdiff_t)1 << task.shift) - 1) >> task.shift;
  const ptrdiff_t code_bytes = task.n * task.chunks * bytes, scale_bytes = task.n * blocks, size = task.m * task.n;
  uint8_t *codes = take((size_t)code_bytes), *scales = take((size_t)scale_bytes);
  uint32_t *tables = take(TABLE_WORDS * sizeof *tables);
  for (ptrdiff_t i = 0; i < code_bytes; i++) codes[i] = (uint8_t)random_below(256);
  for (ptrdiff_t i = 0; i < scale_bytes; i++) scales[i] = (uint8_t)random_below(256);
  for (int i = 0; i < TABLE_SCALES; i++) ((float *)tables)[i] = ldexpf(1, random_below(40) - 20);
  // Small corrections of bfloat16 numbers, and what to add.
  for (int i = TABLE_SCALES; i < TABLE_WORDS - 1; i++) tables[i] = (uint32_t)random_below(1 << 30);
  tables[TABLE_SCALES + 2 * TABLE_CODES / 4] = 120 << 7;
  float *x = random_floats(task.m * task.chunks * CHUNK_CODES), *want = take((size_t)size * sizeof *want),
        *got = take((size_t)size * sizeof *got);
  task.codes = codes, task.scales = scales, task.tables = tables, task.x = x;
  memset(want, 0x5a, (size_t)size * sizeof *want);
  task.out = want, packed_rows_plain(&task);
  int failed = 0;
  for (int i = 0; i < level_count && !failed; i++) {
    if (!level_works(levels[i]) || levels[i]->wide == NULL || levels[i]->wide->packed_rows == NULL) continue;
    memset(got, 0x5a, (size_t)size * sizeof *got);
    task.out = got, levels[i]->wide->packed_rows(&task);
    failed = differ(got, want, size, "packedRowProducts", levels[i]->name);
  }
  if (failed)
    printf("kind %d, shift %d, chunks %td, m %td, n %td\n", task.kind, task.shift, task.chunks, task.m, task.n);
  free(codes), free(scales), free(tables), free(x), free(want), free(got);
  return failed;
}
