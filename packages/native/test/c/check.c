// Every level that this processor has, on random shapes, against plain C and the definitions: for processors that only
// an emulator has, and for the sanitizers. Operands end where their memory ends. `check SEED RUNS` prints the levels,
// and exits with 1 at the first difference.
#include "../../c/block-scales.h"
#include "../../c/level.h"
#include "check-blocks.h"
#include "check-kernels.h"
#include "check-packed.h"
#include "random-values.h"

static int check_matmul(workspace *space) {
  const ptrdiff_t m = random_extent(), k = random_extent(), n = random_extent(), batch = 1 + random_below(2);
  matmul_task task = {.m = m, .k = k, .n = n, .transpose_a = random_below(2), .transpose_b = random_below(2)};
  task.fused = random_below(2), task.part_rows = 1 + random_below(300), task.part_columns = 1 + random_below(300);
  task.stride_a = m * k, task.stride_b = random_below(2) * k * n;
  task.to = batch * ((m + task.part_rows - 1) / task.part_rows) * ((n + task.part_columns - 1) / task.part_columns);
  float *a = random_floats(batch * m * k), *b = random_floats((task.stride_b == 0 ? 1 : batch) * k * n);
  float *want = take((size_t)(batch * m * n) * sizeof *want), *got = take((size_t)(batch * m * n) * sizeof *got);
  task.a = a, task.b = b, task.out = want;
  level_scalar.matmul(&task, space);
  task.out = got;
  int failed = 0;
  for (int i = 0; i < level_count && !failed; i++) {
    if (!level_works(levels[i])) continue;
    memset(got, 0xff, (size_t)(batch * m * n) * sizeof *got);
    levels[i]->matmul(&task, space);
    failed = differ(got, want, batch * m * n, "matmul", levels[i]->name);
  }
  if (failed) printf("m %td, k %td, n %td, %d%d, fused %d\n", m, k, n, task.transpose_a, task.transpose_b, task.fused);
  free(a), free(b), free(want), free(got);
  return failed;
}

static block_operand random_operand(ptrdiff_t lines, ptrdiff_t rows, ptrdiff_t terms, ptrdiff_t size, int wide,
                                    int extreme) {
  block_operand x = {.rows = rows,
                     .terms = terms,
                     .block_size = size,
                     .wide = wide,
                     .float_scales = random_below(4) == 0,
                     .unit = 0.125f};
  const int limit = (int)(sqrt(0x1p24 / (double)size) / (x.float_scales ? 15 : 1));
  const int largest = wide ? (limit < 448 ? limit : 448) : limit < 127 ? limit : 127;
  const ptrdiff_t blocks = scales_of_row(&x), bytes = row_bytes(&x);
  uint8_t *codes = take((size_t)(lines * bytes)), *scales = take((size_t)(lines * blocks) * (x.float_scales ? 4 : 1));
  memset(codes, 0, (size_t)(lines * bytes));
  for (ptrdiff_t row = 0; row < lines; row++) {
    for (ptrdiff_t block = 0; block < blocks; block++) {
      const int zeros = random_below(8) == 0, nan = random_below(200) == 0;
      for (ptrdiff_t t = block * size; t < terms && t < (block + 1) * size && !zeros; t++) {
        const int q = random_below(2 * largest + 1) - largest;
        if (wide) ((int16_t *)(codes + row * bytes))[t] = (int16_t)q;
        else ((int8_t *)(codes + row * bytes))[t] = (int8_t)q;
      }
      const int byte = nan ? 255 : extreme ? random_below(255) : zeros ? 0 : 90 + random_below(70);
      if (x.float_scales)
        ((float *)scales)[row * blocks + block] =
            nan ? NAN : ldexpf((float)(8 + random_below(8)), random_below(15) - 9);
      else scales[row * blocks + block] = (uint8_t)byte;
    }
  }
  x.codes = codes, x.scales = scales;
  return x;
}

static int check_block_matmul(workspace *space) {
  static const int sizes[][2] = {{32, 32}, {16, 32}, {64, 16}, {4, 4}, {6, 2}, {3, 1}, {256, 256}};
  const int *size = sizes[random_below(sizeof sizes / sizeof *sizes)], extreme = random_below(2);
  const ptrdiff_t m = random_extent(), n = random_extent(), terms = 4 * random_extent() - random_below(4),
                  batch = 1 + random_below(2);
  const int shared_a = random_below(2), shared_b = random_below(2);
  block_task task = {.part_rows = 1 + random_below(300),
                     .part_columns = 1 + random_below(300),
                     .rest = random_below(3) == 0 ? 0.5 : 1};
  task.a = random_operand(shared_a ? m : batch * m, m, terms, size[0], random_below(2), extreme);
  task.b = random_operand(shared_b ? n : batch * n, n, terms, size[1], random_below(2), extreme);
  task.a.shared = shared_a, task.b.shared = shared_b, task.block_size = size[0] < size[1] ? size[0] : size[1];
  task.to = batch * ((m + task.part_rows - 1) / task.part_rows) * ((n + task.part_columns - 1) / task.part_columns);
  float *want = take((size_t)(batch * m * n) * sizeof *want), *got = take((size_t)(batch * m * n) * sizeof *got);
  task.out = want;
  block_matmul_plain(&task);
  task.out = got;
  int failed = 0;
  for (int i = 0; i < level_count && !failed; i++) {
    if (!level_works(levels[i])) continue;
    memset(got, 0xff, (size_t)(batch * m * n) * sizeof *got);
    levels[i]->block_matmul(&task, space);
    failed = differ(got, want, batch * m * n, "blockMatmul", levels[i]->name);
  }
  if (failed)
    printf("m %td, terms %td, n %td, sizes %d and %d, wide %d and %d\n", m, terms, n, size[0], size[1], task.a.wide,
           task.b.wide);
  free((void *)task.a.codes), free((void *)task.a.scales), free((void *)task.b.codes), free((void *)task.b.scales);
  free(want), free(got);
  return failed;
}

int main(int count, char **arguments) {
  state = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  const int runs = count > 2 ? atoi(arguments[2]) : 100;
  workspace *space = take(sizeof *space);
  for (int i = 0; i < level_count; i++) {
    if (level_works(levels[i])) printf("%s\n", levels[i]->name);
  }
  int failed = 0;
  for (int run = 0; run < runs && !failed; run++) {
    failed = check_matmul(space) || check_block_matmul(space) || check_kernels(space) || check_blocks(space) ||
             check_turning(space) || check_packed_rows();
  }
  free(space);
  return failed;
}
