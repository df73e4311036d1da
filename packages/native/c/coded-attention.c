// Attention of one query to rows of codes, of which a few at a time are decoded and multiplied: the sums of the kernels
// for values.
#include "level.h"

_Static_assert(CODED_TILE_ROWS * WIDEST_CODED_ROW + 31 <= BLOCK_ROWS * BLOCK_TERMS, "packed_a has a tile's values");
_Static_assert(MOST_CODED_KEYS <= BLOCK_COLUMNS * BLOCK_TERMS, "packed_b has the scores of a head");

/** Scores of the query with `keys` rows, or where there is none, the sum of the rows weighted by the scores. */
static void multiply_rows(const level *level, coded_rows rows, ptrdiff_t keys, const float *query, float *out,
                          workspace *space) {
  const ptrdiff_t row_bytes = bytes_of_row(&rows), width = rows.width;
  float *scores = space->packed_b;
  for (ptrdiff_t row = 0; row < keys; row += CODED_TILE_ROWS, rows.codes += CODED_TILE_ROWS * row_bytes) {
    const ptrdiff_t count = keys - row < CODED_TILE_ROWS ? keys - row : CODED_TILE_ROWS;
    level->common->decode_rows(&rows, count, space->packed_a);
    matmul_task product = {.to = 1, .b = space->packed_a, .m = 1, .part_rows = 1, .fused = 1};
    if (query != NULL) {
      product.a = query, product.out = scores + row, product.k = width, product.n = count, product.transpose_b = 1;
    } else {
      product.a = scores + row, product.out = out, product.k = count, product.n = width, product.accumulate = row > 0;
    }
    product.part_columns = product.n;
    level->matmul(&product, space);
  }
}

void coded_attention(const level *level, const coded_attention_task *task, workspace *space) {
  const ptrdiff_t keys = task->keys, width = task->rows.width, head_bytes = keys * bytes_of_row(&task->rows);
  for (ptrdiff_t head = task->from; head < task->to; head++) {
    coded_rows rows = task->rows;
    rows.codes += (head / task->heads * 2 * task->heads + head % task->heads) * head_bytes;
    multiply_rows(level, rows, keys, task->query + head * width, NULL, space);
    float *scores = space->packed_b;
    const softmax_task softmax = {
        .to = 1, .x = scores, .out = scores, .width = keys, .height = 1, .scale = task->scale};
    level->wide->softmax(&softmax);
    rows.codes += task->heads * head_bytes;
    multiply_rows(level, rows, keys, NULL, task->out + head * width, space);
  }
}
