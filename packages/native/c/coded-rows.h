// Rows of codes of a block format: see `packages/backends/assembly/coded-rows.ts`.
#ifndef LMD_CODED_ROWS_H
#define LMD_CODED_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum { CODED_TILE_ROWS = 16, WIDEST_CODED_ROW = 1024, MOST_CODED_KEYS = 65536 };

/** How codes are stored: the numbers of `CodedKind`. */
typedef enum { CODED_NIBBLES, CODED_BYTES, CODED_INTEGERS, CODED_KIND_COUNT } coded_kind;

/** Rows of `width` codes in blocks of `size`. */
typedef struct {
  const uint8_t *codes;
  ptrdiff_t width, size;
  coded_kind kind;
  int mantissa_bits, emin;
} coded_rows;

static inline ptrdiff_t blocks_of_row(const coded_rows *rows) { return (rows->width + rows->size - 1) / rows->size; }
static inline ptrdiff_t bytes_of_block(const coded_rows *rows) {
  return rows->kind == CODED_NIBBLES ? (rows->size + 31) / 32 * 16 : (rows->size + 15) / 16 * 16;
}
/** The scale bytes included, in whole words. */
static inline ptrdiff_t bytes_of_row(const coded_rows *rows) {
  return (blocks_of_row(rows) * (bytes_of_block(rows) + 1) + 3) / 4 * 4;
}

/**
 * Attention of one query for each head, `from` to `to` of those of all matrices. A matrix has the keys of all its
 * `heads`, `keys` rows each, then their values.
 */
typedef struct {
  ptrdiff_t from, to;
  const float *query;
  coded_rows rows;
  float *out;
  ptrdiff_t heads, keys;
  float scale;
} coded_attention_task;

#endif
