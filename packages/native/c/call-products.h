// Products, called from JavaScript.
#include <string.h>

#include "arguments.h"

static void call_matmul(call *one) {
  matmul_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .m = size_of(one, 5, 1),
      .k = size_of(one, 6, 1),
      .n = size_of(one, 7, 1),
      .transpose_a = one->numbers[8] != 0,
      .transpose_b = one->numbers[9] != 0,
      .stride_a = size_of(one, 10, 0),
      .stride_b = size_of(one, 11, 0),
      .part_rows = size_of(one, 12, 1),
      .part_columns = size_of(one, 13, 1),
      .fused = one->engine->fused,
  };
  if (one->failed || task.from >= task.to) return;
  const double m = (double)task.m, k = (double)task.k, n = (double)task.n;
  const ptrdiff_t down = (task.m + task.part_rows - 1) / task.part_rows;
  const ptrdiff_t across = (task.n + task.part_columns - 1) / task.part_columns;
  const double last = (double)((task.to - 1) / down / across);
  task.a = floats_at(one, 2, last * (double)task.stride_a + m * k);
  task.b = floats_at(one, 3, last * (double)task.stride_b + k * n);
  task.out = floats_at(one, 4, (last + 1) * m * n);
  if (!one->failed) one->engine->level->matmul(&task, one->engine->space);
}

/** Words of settings, as `packages/backends/assembly/block-matmul.ts` has them: four, then those of each operand. */
enum { SETTINGS = 4, OPERAND_WORDS = 11 };

/** 2^exponent, for -most < exponent <= most, the exponents of normal f32 (127) or f64 (1023) numbers. */
static double power_of_two(call *one, int32_t exponent, int32_t most) {
  if (exponent <= -most || exponent > most) {
    fail(one, "A unit is out of range.");
    return 1;
  }
  const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

/** An operand of `matrices` matrices, from its settings. */
static block_operand read_operand(call *one, const int32_t *words, double matrices) {
  block_operand x = {
      .rows = (uint32_t)words[2],
      .terms = (uint32_t)words[3],
      .block_size = words[4],
      .wide = words[5] != 0,
      .float_scales = words[6] != 0,
      .shared = words[7] != 0,
      .unit = (float)power_of_two(one, words[8], 127),
  };
  if (x.rows < 1 || x.terms < 1 || x.block_size < 1) fail(one, "A size is out of range.");
  if ((uint32_t)words[0] % (1u + (unsigned)x.wide) != 0 || (x.float_scales && words[1] % 4 != 0)) {
    fail(one, "An address is no multiple of its element's size.");
  }
  if (one->failed) return x;
  const double rows = (double)x.rows * (x.shared ? 1 : matrices);
  x.codes = bytes_at(one, (uint32_t)words[0], rows * (double)row_bytes(&x));
  x.scales = bytes_at(one, (uint32_t)words[1], rows * (double)scales_of_row(&x) * (x.float_scales ? 4 : 1));
  return x;
}

static void call_block_matmul(call *one) {
  const int32_t *settings = (const int32_t *)floats_at(one, 2, SETTINGS + 2 * OPERAND_WORDS);
  const ptrdiff_t m = size_of(one, 4, 1), terms = size_of(one, 5, 1), n = size_of(one, 6, 1);
  block_task task = {
      .from = size_of(one, 0, 0),
      .to = size_of(one, 1, 0),
      .part_rows = size_of(one, 7, 1),
      .part_columns = size_of(one, 8, 1),
  };
  if (one->failed || task.from >= task.to) return;
  const ptrdiff_t down = (m + task.part_rows - 1) / task.part_rows,
                  across = (n + task.part_columns - 1) / task.part_columns;
  const double matrices = (double)((task.to - 1) / down / across + 1);
  task.a = read_operand(one, settings + SETTINGS, matrices);
  task.b = read_operand(one, settings + SETTINGS + OPERAND_WORDS, matrices);
  task.block_size = settings[1];
  task.rest = power_of_two(one, settings[3], 1023);
  task.out = floats_at(one, 3, matrices * (double)m * (double)n);
  if (one->failed) return;
  const ptrdiff_t size = task.block_size;
  if (task.a.rows != m || task.b.rows != n || task.a.terms != terms || task.b.terms != terms || size < 1 ||
      size > MOST_BLOCK || task.a.block_size % size != 0 || task.b.block_size % size != 0) {
    fail(one, "The settings of the operands do not agree.");
    return;
  }
  one->engine->level->block_matmul(&task, one->engine->space);
}
