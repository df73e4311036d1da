// A call from JavaScript: memory, and the arguments after it. What does not lie within the memory is refused.
#ifndef LMD_ARGUMENTS_H
#define LMD_ARGUMENTS_H

#include <stdint.h>

#define NAPI_VERSION 8
#include <node_api.h>

#include "level.h"

/** Kernels and workspace of a function. */
typedef struct {
  const level *level;
  int fused;
  workspace *space;
} engine;

enum { MOST_ARGUMENTS = 23 };

/** The first failed reading is kept and thrown once. */
typedef struct {
  napi_env env;
  const engine *engine;
  uint8_t *memory;
  double bytes;
  double numbers[MOST_ARGUMENTS];
  int failed;
} call;

/** A kernel as JavaScript sees it: `run` does nothing where reading the arguments fails. */
typedef struct {
  const char *name;
  size_t arguments;
  void (*run)(call *one);
  /**
   * Whether every level has it; or those with vectors, where arithmetic is fused, or always; or, where it is fused,
   * those that have it.
   */
  enum { PRODUCTS, FUSED, ALWAYS, PACKED } group;
} entry;

/** Data pointer of a function. */
typedef struct {
  const engine *engine;
  const entry *entry;
} bound;

static void fail(call *one, const char *message) {
  if (!one->failed) napi_throw_range_error(one->env, "LMD_NATIVE_ARGUMENT", message);
  one->failed = 1;
}

/** Reads the memory and the numbers; true and false are 1 and 0. */
static call read_call(napi_env env, napi_callback_info info) {
  call one = {.env = env};
  napi_value values[MOST_ARGUMENTS + 1];
  size_t given = MOST_ARGUMENTS + 1;
  void *own = NULL, *data = NULL;
  size_t length = 0;
  napi_typedarray_type type = napi_float32_array;
  napi_get_cb_info(env, info, &given, values, NULL, &own);
  one.engine = ((bound *)own)->engine;
  const size_t count = ((bound *)own)->entry->arguments;
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

/** Address of `count` floats. */
static float *floats_at(call *one, int index, double count) {
  const ptrdiff_t address = size_of(one, index, 0);
  if (address % sizeof(float) != 0 || (double)address + sizeof(float) * count > one->bytes) {
    fail(one, "An operand does not lie within the memory.");
    return NULL;
  }
  return (float *)(one->memory + address);
}

/** The same, or NULL at address 0. */
static inline float *floats_or_none(call *one, int index, double count) {
  return one->numbers[index] == 0 ? NULL : floats_at(one, index, count);
}

/** Address of `bytes` bytes. */
static inline void *bytes_at(call *one, double address, double bytes) {
  if (address + bytes > one->bytes) {
    fail(one, "An operand does not lie within the memory.");
    return NULL;
  }
  return one->memory + (ptrdiff_t)address;
}

static inline float float_at(const call *one, int index) { return (float)one->numbers[index]; }
static inline int flag_at(const call *one, int index) { return one->numbers[index] != 0; }

/** 32 bits, as a number with a sign or without. */
static uint32_t word_at(call *one, int index) {
  const double value = one->numbers[index];
  if (!(value >= -2147483648.0 && value <= 4294967295.0)) {
    fail(one, "A word is out of range.");
    return 0;
  }
  return (uint32_t)(int64_t)value;
}

/** One of `count` operations. */
static int choice_at(call *one, int index, int count) {
  const ptrdiff_t value = size_of(one, index, 0);
  if (value < count) return (int)value;
  fail(one, "There is no such operation.");
  return 0;
}

#endif
