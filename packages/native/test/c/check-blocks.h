// Kernels that round to block formats: see `compare.h`.
#include "compare.h"

/**
 * Element formats, as `planInMemory` of @lmd/mx-formats gives them: bits, significant bits, emin, emax, bias, largest,
 * its code, int.
 */
static const int32_t element_formats[][8] = {
    {8, 3, -6, 8, 7, 0x43e00000, 0x7e, 0}, {8, 2, -14, 15, 15, 0x47600000, 0x7b, 0},
    {6, 2, -2, 4, 3, 0x41e00000, 31, 0},   {6, 3, 0, 2, 1, 0x40f00000, 31, 0},
    {4, 1, 0, 2, 1, 0x40c00000, 7, 0},     {8, 6, 0, 0, 0, 0x3ffe0000, 127, 1},
};

static rounding_settings random_settings(int format) {
  const int32_t *own = element_formats[format];
  const int e4m3 = format == 4 && random_below(2);
  return (rounding_settings){.bits = own[0],
                             .significant_bits = own[1],
                             .emin = own[2],
                             .emax = own[3],
                             .bias = own[4],
                             .largest_bits = own[5],
                             .largest_code = own[6],
                             .integers = own[7],
                             .unit = 0x1p-6f,
                             .up_above = random_below(2) ? 0x7fffff : 0x600000,
                             .rounding = random_below(2) ? NEAREST_EVEN : random_below(ROUNDING_COUNT),
                             .block_size = e4m3 ? 16 : 32 >> random_below(3),
                             .e4m3_scales = e4m3,
                             .tensor_scale = 0.0375f};
}

static void run_encode(const level *one, void *task, float *const *outs, workspace *space) {
  encode_task *own = task;
  (void)space, own->codes = (uint8_t *)outs[0], own->scales = outs[1], one->wide->encode(own);
}
static void run_encode_columns(const level *one, void *task, float *const *outs, workspace *space) {
  encode_task *own = task;
  (void)space, own->codes = (uint8_t *)outs[0], own->scales = outs[1], one->wide->encode_columns(own);
}
static void run_decode(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((decode_task *)task)->out = outs[0], one->common->decode(task);
}
static void run_round_rows(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((round_task *)task)->target = outs[0], one->common->round_rows(task);
}
static void run_round_slabs(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((round_task *)task)->target = outs[0], one->common->round_slabs(task);
}

static void run_turn(const level *one, void *task, float *const *outs, workspace *space) {
  (void)space, ((turn_task *)task)->target = outs[0], one->common->turn(task);
}

static int check_turning(workspace *space) {
  const ptrdiff_t rows = random_extent(), columns = random_extent(), inner = 1 + random_below(3);
  const ptrdiff_t matrices = inner * (1 + random_below(2)), size = rows * columns;
  float *x = random_floats(matrices * size);
  turn_task task = {.to = matrices * ((rows + TURNED_ROWS - 1) / TURNED_ROWS),
                    .source = x,
                    .rows = rows,
                    .columns = columns,
                    .source_stride = columns,
                    .target_stride = rows,
                    .inner_extent = inner,
                    .source_steps = {inner * size, size},
                    .target_steps = {inner * size, size}};
  const ptrdiff_t turned[MOST_OUTPUTS] = {matrices * size};
  const int failed = compare("turnMatrices", run_turn, &task, turned, space);
  free(x);
  return failed;
}

static int check_blocks(workspace *space) {
  const int format = random_below(6);
  const rounding_settings settings = random_settings(format);
  const ptrdiff_t rows = 4, length = random_extent(), inner = 1 + random_below(40), size = settings.block_size;
  const ptrdiff_t blocks = (length + size - 1) / size, padded = (length + 15) / 16 * 16, count = rows * length * inner;
  float *x = take((size_t)count * sizeof *x);
  uint32_t *random = take((size_t)count * sizeof *random);
  int exponent = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    if (random_below(30) == 0) exponent = random_below(3) == 0 ? random_below(270) - 150 : random_below(10);
    x[i] = random_below(300) == 0  ? NAN
           : random_below(20) == 0 ? 0
                                   : ldexpf((float)(random_below(2001) - 1000), exponent - 12);
    random[i] = (uint32_t)random_below(1 << 30) << 2;
  }
  // Wide integers are those of E3M2; the two first formats have none.
  const int wide = format == 2;
  encode_task encode = {.to = rows,
                        .settings = &settings,
                        .source = x,
                        .random = random,
                        .length = length,
                        .blocks = blocks,
                        .wide = wide};
  round_task flat = {.to = rows, .settings = &settings, .source = x, .random = random, .length = length};
  round_task slabs = {.to = rows * blocks,
                      .settings = &settings,
                      .source = x,
                      .random = random,
                      .length = length,
                      .blocks = blocks,
                      .inner = inner};
  uint8_t *codes = take((size_t)(rows * padded) << wide), *scales = take((size_t)(rows * blocks));
  for (ptrdiff_t i = 0; i < rows * padded << wide; i++) codes[i] = (uint8_t)random_below(256);
  for (ptrdiff_t i = 0; i < rows * blocks; i++) scales[i] = (uint8_t)random_below(256);
  decode_task decode = {
      .to = rows, .codes = codes, .scales = scales, .terms = length, .block_size = size, .wide = wide, .unit = 0.125f};
  const ptrdiff_t encoded[MOST_OUTPUTS] = {rows * padded / (wide ? 2 : 4),
                                           settings.e4m3_scales ? rows * blocks : (rows * blocks + 3) / 4};
  const ptrdiff_t values[MOST_OUTPUTS] = {rows * length}, whole[MOST_OUTPUTS] = {count};
  encode_task turned = encode;
  turned.columns = inner, turned.to = rows * ((inner + STRIP_COLUMNS - 1) / STRIP_COLUMNS) * blocks;
  const ptrdiff_t all_encoded[MOST_OUTPUTS] = {inner * encoded[0], inner * rows * blocks};
  const int failed = (format > 1 && compare("encodeIntegersInMemory", run_encode, &encode, encoded, space)) ||
                     (format > 1 && size % 16 == 0 &&
                      compare("encodeIntegersOfColumns", run_encode_columns, &turned, all_encoded, space)) ||
                     compare("decodeOperand", run_decode, &decode, values, space) ||
                     compare("roundRowsInMemory", run_round_rows, &flat, values, space) ||
                     compare("roundSlabsInMemory", run_round_slabs, &slabs, whole, space);
  if (failed)
    printf("format %d, length %td, inner %td, size %td, rounding %d\n", format, length, inner, size, settings.rounding);
  free(x), free(random), free(codes), free(scales);
  return failed;
}
