// The kernels beside the products, and what each is told. They give the bits of the WebAssembly kernels of
// `packages/backends/assembly`, at every level: element by element the same operations, and sums in the same lanes,
// however wide vectors are. `from` to `to` is the part that a call does, of elements where nothing else is said;
// nothing beyond it is written.
#ifndef LMD_FLOAT_KERNELS_H
#define LMD_FLOAT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "block-rounding.h"
#include "coded-rows.h"
#include "workspace.h"

/** What to do with each element: the numbers of `assembly/elementwise.ts`. */
typedef enum {
  NEGATE,
  ABSOLUTE,
  SIGN,
  EXP,
  LOG,
  SQRT,
  TANH,
  ERF,
  ROUND,
  BFLOAT16,
  TO_INTEGER,
  TO_FLOAT,
  UNARY_COUNT
} unary_operation;

typedef struct {
  ptrdiff_t from, to;
  unary_operation operation;
  const float *x;
  float *out;
} unary_task;

/** GELU, or where `dy` is not NULL its gradient. */
typedef struct {
  ptrdiff_t from, to;
  const float *x, *dy;
  float *out;
  int tanh;
} gelu_task;

/** What all random words of a tensor share (`RandomKey` of @lmd/core). */
typedef struct {
  uint32_t stream, step, sample, seed_low, seed_high;
} random_key;

typedef enum { RANDOM_BITS, RANDOM_UNIFORM, RANDOM_NORMAL, RANDOM_COUNT } random_kind;

/** `from` is a multiple of 4. */
typedef struct {
  ptrdiff_t from, to;
  random_kind kind;
  float *target;
  random_key key;
} random_task;

/** w = exp(l⁺ + σ·e⁺) − exp(l⁻ + σ·e⁻); `from` is a multiple of 4. */
typedef struct {
  ptrdiff_t from, to;
  const float *log_plus, *log_minus;
  float *out;
  float noise;
  random_key key;
} lmd_draw_task;

/** Words that a sample has in the table of an update: the address of its gradient in the memory, and its key. */
enum { SAMPLE_WORDS = 6 };

typedef enum { LOG_NORMAL, POWER, EXPONENTIAL, SQUARED_EXPONENTIAL, REGULARIZER_COUNT } regularizer_kind;

/** One of the two halves of a weight. */
typedef struct {
  const float *log, *momentum;
  float *out_log, *out_momentum;
} lmd_half;

/**
 * One step of LMD. Where minus has no momentum, both halves share that of plus, and gradients are not scaled by the
 * sample. `from` is a multiple of 4.
 */
typedef struct {
  ptrdiff_t from, to;
  lmd_half plus, minus;
  const uint8_t *memory;
  const uint32_t *table;
  int samples;
  float share, noise, learning_rate, beta1, rest1, beta2, rest2, regularization;
  regularizer_kind regularizer;
  float log_prior_median;
  int use_sign;
} lmd_update_task;

typedef struct {
  ptrdiff_t from, to;
  const float *weights, *first, *second, *gradient;
  float *out_weights, *out_first, *out_second;
  float beta1, rest1, beta2, rest2, rate, second_scale, epsilon, kept;
} adamw_task;

/** Rows, in matrices of `height`: with `causal`, row r of each sees the first r + 1 values. */
typedef struct {
  ptrdiff_t from, to;
  const float *x;
  float *out;
  ptrdiff_t width, height;
  float scale;
  int causal;
} softmax_task;

/** Rows: scale·y·(dy − Σ y·dy). */
typedef struct {
  ptrdiff_t from, to;
  const float *y, *dy;
  float *out;
  ptrdiff_t width;
  float scale;
} softmax_gradient_task;

/** Rows: −log softmax at the labels into `out`, or where `dy` is not NULL dy·(softmax − one-hot label). */
typedef struct {
  ptrdiff_t from, to;
  const float *logits, *dy;
  const int32_t *labels;
  float *out;
  ptrdiff_t classes;
} cross_entropy_task;

/** Rows. */
typedef struct {
  ptrdiff_t from, to;
  const float *x, *gain, *bias;
  float *out;
  ptrdiff_t width;
  float epsilon;
} layer_norm_task;

/** Rows of one part of a layer norm's gradient: however many threads there are, the sums add up in the same order. */
enum { NORM_PART_ROWS = 256 };

/**
 * Parts of NORM_PART_ROWS rows: the gradient for x into `out`, and each part's sums for gain, then bias. `totals` has
 * room for 2 float64 sums a column, the columns counted in fours, for each part; `scratch` for 2 floats a column.
 */
typedef struct {
  ptrdiff_t from, to;
  const float *x, *gain, *dy;
  float *out;
  double *totals;
  float *scratch;
  ptrdiff_t rows, width;
  float epsilon;
} layer_norm_gradient_task;

/** Rows of one strip of a matrix that is turned. */
enum { TURNED_ROWS = 32 };

/**
 * Matrices turned round: `rows` × `columns` with contiguous columns and rows `source_stride` apart, to contiguous rows
 * with columns `target_stride` apart. They are counted over two axes, the inner one of `inner_extent`, with steps on
 * either side. `from` to `to` count strips of TURNED_ROWS rows.
 */
typedef struct {
  ptrdiff_t from, to;
  const float *source;
  float *target;
  ptrdiff_t rows, columns, source_stride, target_stride, inner_extent, source_steps[2], target_steps[2];
} turn_task;

/** How the codes of packed weights are stored: the numbers of `PackedKind`. */
typedef enum { NIBBLES, FLOAT6_M3, FLOAT6_M2, FLOAT8_M3, FLOAT8_M2, INTEGER8, PACKED_COUNT } packed_kind;

enum { CHUNK_CODES = 64, TABLE_SCALES = 256, TABLE_CODES = 16, TABLE_WORDS = 268 };

/**
 * x [m, 64·chunks] · the rows `from` to `to` of packed weights, transposed: those columns of out [m, n]. A block is of
 * 2^(shift + 4) codes.
 */
typedef struct {
  ptrdiff_t from, to;
  packed_kind kind;
  const uint8_t *codes, *scales;
  const uint32_t *tables;
  int shift;
  ptrdiff_t chunks;
  const float *x;
  float *out;
  ptrdiff_t m, n;
} packed_task;

/** The kernels of an instruction set that gain from wider vectors. Multiply-adds are fused in all kernels. */
typedef struct {
  void (*gelu)(const gelu_task *task);
  void (*random)(const random_task *task);
  void (*lmd_draw)(const lmd_draw_task *task, workspace *space);
  void (*lmd_update)(const lmd_update_task *task, workspace *space);
  void (*softmax)(const softmax_task *task);
  void (*cross_entropy)(const cross_entropy_task *task);
  void (*encode)(const encode_task *task);
  void (*encode_columns)(const encode_task *task);
  /** NULL where WebAssembly has it: for AVX2, there is no room in the binary for Windows. */
  void (*packed_rows)(const packed_task *task);
} wide_kernels;

/** Those that memory bounds, or sums in eight lanes: AVX-512 has them from AVX2. */
typedef struct {
  void (*unary)(const unary_task *task);
  void (*adamw)(const adamw_task *task);
  void (*softmax_gradient)(const softmax_gradient_task *task);
  void (*layer_norm)(const layer_norm_task *task);
  void (*layer_norm_gradient)(const layer_norm_gradient_task *task);
  void (*decode)(const decode_task *task);
  /** The values of `count` rows; up to 31 floats after them are overwritten. */
  void (*decode_rows)(const coded_rows *rows, ptrdiff_t count, float *out);
  void (*round_rows)(const round_task *task);
  void (*round_slabs)(const round_task *task);
  void (*turn)(const turn_task *task);
} common_kernels;

extern const wide_kernels wide_avx512, wide_avx2, wide_neon, wide_scalar;
extern const common_kernels common_avx2, common_neon, common_scalar;

#endif
