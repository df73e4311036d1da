// The add-on: `open(level, fused)` gives the kernels of a level, functions on one memory. What an argument means is said with the kernels
// of the cpu backend, whose arguments these are, after a Uint8Array on all of the memory in which addresses are bytes.
#include <stdlib.h>
#include <string.h>

#include "call-blocks.h"
#include "call-elements.h"
#include "call-optimizers.h"
#include "call-products.h"
#include "call-rows.h"

static const entry entries[] = {
    {"matmul", 14, call_matmul, PRODUCTS},
    {"blockMatmul", 9, call_block_matmul, PRODUCTS},
    {"unary", 5, call_unary, FLOATS},
    {"binary", 17, call_binary, PLAIN},
    {"geluExact", 4, call_gelu_exact, FLOATS},
    {"geluExactGradient", 5, call_gelu_exact_gradient, FLOATS},
    {"geluTanh", 4, call_gelu_tanh, FLOATS},
    {"geluTanhGradient", 5, call_gelu_tanh_gradient, FLOATS},
    {"random", 9, call_random, FLOATS},
    {"lmdDraw", 11, call_lmd_draw, FLOATS},
    {"lmdUpdate", 23, call_lmd_update, FLOATS},
    {"adamwUpdate", 17, call_adamw, FLOATS},
    {"softmax", 8, call_softmax, FLOATS},
    {"softmaxGradient", 7, call_softmax_gradient, FLOATS},
    {"crossEntropy", 6, call_cross_entropy, FLOATS},
    {"crossEntropyGradient", 7, call_cross_entropy_gradient, FLOATS},
    {"layerNorm", 8, call_layer_norm, FLOATS},
    {"layerNormGradient", 11, call_layer_norm_gradient, FLOATS},
    {"encodeIntegersInMemory", 10, call_encode, PLAIN},
    {"decodeOperand", 11, call_decode, PLAIN},
    {"roundRowsInMemory", 7, call_round_rows, PLAIN},
    {"roundSlabsInMemory", 9, call_round_slabs, PLAIN},
};
enum { ENTRIES = sizeof entries / sizeof entries[0], CACHE_LINE = 64 };

/** The kernels of a level. */
typedef struct {
  engine engine;
  bound functions[ENTRIES];
} opened;

/** What belongs to one thread of JavaScript. */
typedef struct {
  void *block;
  workspace *space;
  opened levels[MOST_LEVELS][2];
} instance;

static napi_value call_kernel(napi_env env, napi_callback_info info) {
  void *own = NULL;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &own);
  call one = read_call(env, info);
  if (!one.failed) ((bound *)own)->entry->run(&one);
  return NULL;
}

static int offers(const engine *engine, const entry *one) {
  if (one->group == FLOATS) return engine->fused && engine->level->floats != NULL;
  return one->group == PRODUCTS || engine->level->plain != NULL;
}

static void add_function(napi_env env, napi_value object, const char *name, napi_callback function, void *data) {
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
  opened *chosen = &own->levels[index][fused];
  chosen->engine = (engine){levels[index], fused, own->space};
  napi_create_object(env, &result);
  add_text(env, result, "level", levels[index]->name);
  for (int i = 0; i < ENTRIES; i++) {
    chosen->functions[i] = (bound){&chosen->engine, &entries[i]};
    if (offers(&chosen->engine, &entries[i])) add_function(env, result, entries[i].name, call_kernel, &chosen->functions[i]);
  }
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
