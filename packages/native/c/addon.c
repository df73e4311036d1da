// The add-on: `open(level, fused)` gives the kernels of a level, functions on one memory. What an argument means is said with the kernels
// of the cpu backend, whose arguments these are, after a Uint8Array on all of the memory in which addresses are bytes.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAPI_VERSION 8
#include <node_api.h>

#include "level.h"

/** What a function computes with. */
typedef struct {
  const level *level;
  int fused;
  workspace *space;
} engine;

enum { CACHE_LINE = 64 };

/** What belongs to one thread of JavaScript. */
typedef struct {
  void *block;
  workspace *space;
  engine engines[MOST_LEVELS][2];
} instance;

/** Memory, and the arguments of a call after it. A failed reading is remembered, and throws once. */
typedef struct {
  napi_env env;
  const engine *engine;
  uint8_t *memory;
  double bytes;
  double numbers[15];
  int failed;
} call;

static void fail(call *one, const char *message) {
  if (!one->failed) napi_throw_range_error(one->env, "LMD_NATIVE_ARGUMENT", message);
  one->failed = 1;
}

/** Reads the memory and `count` numbers; true and false are 1 and 0. */
static call read_call(napi_env env, napi_callback_info info, size_t count) {
  call one = {.env = env};
  napi_value values[16];
  size_t given = count + 1;
  void *engine_data = NULL, *data = NULL;
  size_t length = 0;
  napi_typedarray_type type = napi_float32_array;
  napi_get_cb_info(env, info, &given, values, NULL, &engine_data);
  one.engine = engine_data;
  if (given != count + 1 || napi_get_typedarray_info(env, values[0], &type, &length, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    fail(&one, "A kernel takes a Uint8Array on the memory, then its own arguments.");
    return one;
  }
  one.memory = data;
  one.bytes = (double)length;
  for (size_t i = 0; i < count; i++) {
    bool flag = false;
    if (napi_get_value_double(env, values[i + 1], &one.numbers[i]) == napi_ok) continue;
    if (napi_get_value_bool(env, values[i + 1], &flag) != napi_ok) fail(&one, "An argument is no number.");
    one.numbers[i] = flag;
  }
  return one;
}

/** A size: a whole number from `low` to 2^32. */
static ptrdiff_t size_of(call *one, int index, double low) {
  const double value = one->numbers[index];
  if (!(value >= low && value <= 4294967296.0) || value != (double)(ptrdiff_t)value) {
    fail(one, "A size or an address is out of range.");
    return 1;
  }
  return (ptrdiff_t)value;
}

/** Where `count` floats are. */
static float *floats_at(call *one, int index, double count) {
  const ptrdiff_t address = size_of(one, index, 0);
  if (address % sizeof(float) != 0 || (double)address + sizeof(float) * count > one->bytes) {
    fail(one, "An operand does not lie within the memory.");
    return NULL;
  }
  return (float *)(one->memory + address);
}

static napi_value call_matmul(napi_env env, napi_callback_info info) {
  call one = read_call(env, info, 14);
  if (one.failed) return NULL;
  matmul_task task = {
      .from = size_of(&one, 0, 0),
      .to = size_of(&one, 1, 0),
      .m = size_of(&one, 5, 1),
      .k = size_of(&one, 6, 1),
      .n = size_of(&one, 7, 1),
      .transpose_a = one.numbers[8] != 0,
      .transpose_b = one.numbers[9] != 0,
      .stride_a = size_of(&one, 10, 0),
      .stride_b = size_of(&one, 11, 0),
      .part_rows = size_of(&one, 12, 1),
      .part_columns = size_of(&one, 13, 1),
      .fused = one.engine->fused,
  };
  if (one.failed || task.from >= task.to) return NULL;
  const double m = (double)task.m, k = (double)task.k, n = (double)task.n;
  const ptrdiff_t down = (task.m + task.part_rows - 1) / task.part_rows;
  const ptrdiff_t across = (task.n + task.part_columns - 1) / task.part_columns;
  const double last = (double)((task.to - 1) / down / across);
  task.a = floats_at(&one, 2, last * (double)task.stride_a + m * k);
  task.b = floats_at(&one, 3, last * (double)task.stride_b + k * n);
  task.out = floats_at(&one, 4, (last + 1) * m * n);
  if (!one.failed) one.engine->level->matmul(&task, one.engine->space);
  return NULL;
}

/** Words of settings, as `packages/backends/assembly/block-matmul.ts` has them: four, then those of each operand. */
enum { SETTINGS = 4, OPERAND_WORDS = 11 };

/** Where `bytes` bytes are. */
static const void *bytes_at(call *one, double address, double bytes) {
  if (address + bytes > one->bytes) {
    fail(one, "An operand does not lie within the memory.");
    return NULL;
  }
  return one->memory + (ptrdiff_t)address;
}

/** 2 to a power that an f32 has. */
static float power_of_two(call *one, int32_t exponent) {
  if (exponent < -126 || exponent > 127) fail(one, "A unit is out of range.");
  return (float)ldexp(1, exponent);
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
      .unit = power_of_two(one, words[8]),
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

static napi_value call_block_matmul(napi_env env, napi_callback_info info) {
  call one = read_call(env, info, 9);
  if (one.failed) return NULL;
  const int32_t *settings = (const int32_t *)floats_at(&one, 2, SETTINGS + 2 * OPERAND_WORDS);
  const ptrdiff_t m = size_of(&one, 4, 1), terms = size_of(&one, 5, 1), n = size_of(&one, 6, 1);
  block_task task = {
      .from = size_of(&one, 0, 0),
      .to = size_of(&one, 1, 0),
      .part_rows = size_of(&one, 7, 1),
      .part_columns = size_of(&one, 8, 1),
  };
  if (one.failed || task.from >= task.to) return NULL;
  const ptrdiff_t down = (m + task.part_rows - 1) / task.part_rows, across = (n + task.part_columns - 1) / task.part_columns;
  const double matrices = (double)((task.to - 1) / down / across + 1);
  task.a = read_operand(&one, settings + SETTINGS, matrices);
  task.b = read_operand(&one, settings + SETTINGS + OPERAND_WORDS, matrices);
  task.block_size = settings[1];
  task.rest = ldexp(1, settings[3]);
  task.out = floats_at(&one, 3, matrices * (double)m * (double)n);
  if (one.failed) return NULL;
  const ptrdiff_t size = task.block_size;
  if (task.a.rows != m || task.b.rows != n || task.a.terms != terms || task.b.terms != terms || size < 1 || size > MOST_BLOCK ||
      task.a.block_size % size != 0 || task.b.block_size % size != 0) {
    fail(&one, "The settings of the operands do not agree.");
    return NULL;
  }
  one.engine->level->block_matmul(&task, one.engine->space);
  return NULL;
}

static void add_function(napi_env env, napi_value object, const char *name, napi_callback function, engine *data) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value);
  napi_set_named_property(env, object, name, value);
}

static void add_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, name, value);
}

/** The level of that name, or the fastest where the name is empty; -1 where this processor has none of that name. */
static int find_level(const char *name) {
  for (int i = 0; i < level_count; i++) {
    if ((name[0] == '\0' || strcmp(name, levels[i]->name) == 0) && level_works(levels[i])) return i;
  }
  return -1;
}

/** open(level, fused): the kernels of a level; undefined where this processor lacks it. */
static napi_value open_level(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  size_t given = 2, length = 0;
  char name[16] = "";
  bool fused = true;
  void *data = NULL;
  napi_get_undefined(env, &result);
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok || napi_get_instance_data(env, &data) != napi_ok ||
      napi_get_value_string_utf8(env, values[0], name, sizeof name, &length) != napi_ok ||
      napi_get_value_bool(env, values[1], &fused) != napi_ok) {
    napi_throw_type_error(env, "LMD_NATIVE_ARGUMENT", "open takes the name of a level and a boolean.");
    return NULL;
  }
  const int index = find_level(name);
  if (index < 0) return result;
  instance *own = data;
  engine *chosen = &own->engines[index][fused];
  *chosen = (engine){levels[index], fused, own->space};
  napi_create_object(env, &result);
  add_text(env, result, "level", levels[index]->name);
  add_function(env, result, "matmul", call_matmul, chosen);
  add_function(env, result, "blockMatmul", call_block_matmul, chosen);
  return result;
}

static void free_instance(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  free(((instance *)data)->block);
  free(data);
}

/** One for each thread; a system gives the pages when they are first written. */
static instance *create_instance(void) {
  instance *own = calloc(1, sizeof *own);
  if (own == NULL) return NULL;
  own->block = malloc(sizeof(workspace) + CACHE_LINE);
  if (own->block == NULL) {
    free(own);
    return NULL;
  }
  own->space = (workspace *)(((uintptr_t)own->block + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
  return own;
}

NAPI_MODULE_INIT() {
  instance *own = create_instance();
  if (own == NULL || napi_set_instance_data(env, own, free_instance, NULL) != napi_ok) {
    napi_throw_error(env, "LMD_NATIVE_MEMORY", "There is no memory for packed operands.");
    return NULL;
  }
  add_function(env, exports, "open", open_level, NULL);
  return exports;
}
