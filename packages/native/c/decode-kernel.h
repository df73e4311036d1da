// The values of encoded operands. See `packages/backends/assembly/decode-operand.ts`.

static inline float decoding_scale(const decode_task *task, ptrdiff_t place) {
  if (task->float_scales) return ((const float *)task->scales)[place] * task->tensor_scale;
  return e8m0_scale(((const uint8_t *)task->scales)[place]);
}

static void decode(const decode_task *task) {
  const ptrdiff_t terms = task->terms, size = task->block_size, padded = (terms + 15) / 16 * 16,
                  blocks = (terms + size - 1) / size;
  const int wide = task->wide;
  const floats unit = splat(task->unit);
  for (ptrdiff_t row = task->from; row < task->to; row++) {
    const uint8_t *codes = task->codes + (row * padded << wide);
    float *out = task->out + row * terms;
    for (ptrdiff_t block = 0; block < blocks; block++) {
      const float scale = decoding_scale(task, row * blocks + block);
      ptrdiff_t i = block * size;
      const ptrdiff_t end = terms - i < size ? terms : i + size;
      for (; i + LANES <= end; i += LANES) {
        store(out + i, from_integers(load_narrow(codes + (i << wide), wide)) * unit * splat(scale));
      }
      for (; i < end; i++) {
        const int32_t integer = wide ? ((const int16_t *)codes)[i] : ((const int8_t *)codes)[i];
        out[i] = (float)integer * task->unit * scale;
      }
    }
  }
}
