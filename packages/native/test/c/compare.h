// A kernel of every level against that of plain C.
#ifndef LMD_COMPARE_H
#define LMD_COMPARE_H

#include "../../c/level.h"
#include "random-values.h"

enum { MOST_OUTPUTS = 4 };

/** Runs a kernel of a level, with its results where `outs` says. */
typedef void runner(const level *one, void *task, float *const *outs, workspace *space);

/** `sizes` are those of the results, in floats, 0 after the last. */
static inline int compare(const char *name, runner *run, void *task, const ptrdiff_t sizes[MOST_OUTPUTS],
                          workspace *space) {
  const level plain = {"plain C", level_scalar.matmul, NULL, &wide_scalar, &common_scalar};
  float *want[MOST_OUTPUTS] = {0}, *got[MOST_OUTPUTS] = {0};
  for (int i = 0; i < MOST_OUTPUTS && sizes[i] > 0; i++) {
    const size_t bytes = (size_t)sizes[i] * sizeof(float);
    want[i] = take(bytes), got[i] = take(bytes);
    memset(want[i], 0x5a, bytes);
  }
  run(&plain, task, want, space);
  int failed = 0;
  for (int l = 0; l < level_count && !failed; l++) {
    if (!level_works(levels[l]) || levels[l]->common == NULL) continue;
    for (int i = 0; i < MOST_OUTPUTS && want[i] != NULL; i++) memset(got[i], 0x5a, (size_t)sizes[i] * sizeof(float));
    run(levels[l], task, got, space);
    for (int i = 0; i < MOST_OUTPUTS && want[i] != NULL; i++)
      failed |= differ(got[i], want[i], sizes[i], name, levels[l]->name);
  }
  for (int i = 0; i < MOST_OUTPUTS; i++) free(want[i]), free(got[i]);
  return failed;
}

#endif
