// In the order of `assembly/optimizers.ts`.

/** One AdamW step (Loshchilov & Hutter, arXiv:1711.05101). */
static void adamw(const adamw_task *task) {
  const ptrdiff_t to = task->to;
  for (ptrdiff_t i = task->from; i < to; i += LANES) {
    const floats g = load_some(task->gradient + i, to - i);
    const floats first = multiply_add(splat(task->beta1), load_some(task->first + i, to - i), splat(task->rest1) * g);
    const floats second =
        multiply_add(splat(task->beta2), load_some(task->second + i, to - i), splat(task->rest2) * g * g);
    const floats deviation = square_root(second * splat(task->second_scale)) + splat(task->epsilon);
    const floats kept = splat(task->kept) * load_some(task->weights + i, to - i);
    store_some(task->out_first + i, first, to - i);
    store_some(task->out_second + i, second, to - i);
    store_some(task->out_weights + i, kept - splat(task->rate) * first / deviation, to - i);
  }
}
