// The add-on: `open(level, fused)` gives the kernels of a level, functions on one memory. What an argument means is
// said with the kernels of the cpu backend, whose arguments these are, after a Uint8Array on all of the memory in which
// addresses are bytes.
#include "call-blocks.h"
#include "call-elements.h"
#include "call-optimizers.h"
#include "call-products.h"
#include "call-rows.h"
#include "system.h"

static const entry entries[] = {
    {"matmul", 14, call_matmul, PRODUCTS},
    {"blockMatmul", 9, call_block_matmul, PRODUCTS},
    {"unary", 5, call_unary, FUSED},
    {"geluExact", 4, call_gelu_exact, FUSED},
    {"geluExactGradient", 5, call_gelu_exact_gradient, FUSED},
    {"geluTanh", 4, call_gelu_tanh, FUSED},
    {"geluTanhGradient", 5, call_gelu_tanh_gradient, FUSED},
    {"random", 9, call_random, FUSED},
    {"lmdDraw", 11, call_lmd_draw, FUSED},
    {"lmdUpdate", 23, call_lmd_update, FUSED},
    {"adamwUpdate", 17, call_adamw, FUSED},
    {"softmax", 8, call_softmax, FUSED},
    {"softmaxGradient", 7, call_softmax_gradient, FUSED},
    {"crossEntropy", 6, call_cross_entropy, FUSED},
    {"crossEntropyGradient", 7, call_cross_entropy_gradient, FUSED},
    {"layerNorm", 8, call_layer_norm, FUSED},
    {"layerNormGradient", 11, call_layer_norm_gradient, FUSED},
    {"encodeIntegersInMemory", 10, call_encode, ALWAYS},
    {"encodeIntegersOfColumns", 11, call_encode_columns, ALWAYS},
    {"decodeOperand", 11, call_decode, ALWAYS},
    {"roundRowsInMemory", 7, call_round_rows, ALWAYS},
    {"roundSlabsInMemory", 9, call_round_slabs, ALWAYS},
    {"turnMatrices", 13, call_turn, ALWAYS},
    {"codedAttention", 13, call_coded_attention, FUSED},
    {"packedRowProducts", 12, call_packed_rows, PACKED},
};
enum { ENTRIES = sizeof entries / sizeof entries[0], CACHE_LINE = 64 };

/** The kernels of a level. */
typedef struct {
  engine engine;
  bound functions[ENTRIES];
} opened;

/** State of one JavaScript thread. */
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
  if (one->group == PRODUCTS) return 1;
  if (one->group == PACKED)
    return engine->fused && engine->level->wide != NULL && engine->level->wide->packed_rows != NULL;
  // Strict arithmetic is for the same bits everywhere, not for speed: where a kernel multiplies and adds, WebAssembly
  // has it.
  return engine->level->common != NULL && (engine->fused || one->group == ALWAYS);
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

static int is_same_text(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

/** The level of that name, or the fastest where the name is empty; -1 where this processor has none of that name. */
static int find_level(const char *name) {
  for (int i = 0; i < level_count; i++) {
    if ((name[0] == '\0' || is_same_text(name, levels[i]->name)) && level_works(levels[i])) return i;
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
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok ||
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
    if (offers(&chosen->engine, &entries[i]))
      add_function(env, result, entries[i].name, call_kernel, &chosen->functions[i]);
  }
  return result;
}

static void free_instance(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  give_back(((instance *)data)->block);
  give_back(data);
}

/** One for each thread; a system gives the pages when they are first written. */
static instance *create_instance(void) {
  instance *own = take_memory(sizeof *own);
  if (own == NULL) return NULL;
  own->block = take_memory(sizeof(workspace) + CACHE_LINE);
  if (own->block == NULL) {
    give_back(own);
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
