// The values of rows of codes: see `packages/backends/assembly/coded-rows.ts`. Up to 31 floats after the last row are
// overwritten.

/** Codes of sign and magnitude, the latter being exponent and mantissa. */
static inline void decode_bytes(const coded_rows *rows, const uint8_t *codes, ptrdiff_t count, float *to, float scale) {
  const words bias = splat_word((uint32_t)(rows->emin + 126) << 23);
  const floats unit = floats_of(splat_word((uint32_t)(rows->emin - rows->mantissa_bits + 127) << 23)),
               least_normal = from_integers(splat_word(1u << rows->mantissa_bits));
  for (ptrdiff_t i = 0; i < count; i += LANES) {
    const words code = load_narrow(codes + i, 0), magnitude = code & 0x7fu;
    const floats number = from_integers(magnitude),
                 normal = floats_of((magnitude << (23 - rows->mantissa_bits)) + bias);
    // Below the normal numbers, a multiple of the least.
    const floats size = select_floats(is_less(number, least_normal), number * unit, normal);
    store(to + i, floats_of(bits_of(size) | (code & 0x80000000u)) * splat(scale));
  }
}

static inline void decode_integers(const int8_t *integers, ptrdiff_t count, float *to, float scale) {
  for (ptrdiff_t i = 0; i < count; i += LANES)
    store(to + i, from_integers(load_narrow(integers + i, 0)) * splat(scale));
}

static void decode_rows(const coded_rows *rows, ptrdiff_t count, float *out) {
  const uint32_t unit_bits = (uint32_t)(rows->emin - rows->mantissa_bits + 127) << 23;
  float unit;
  memcpy(&unit, &unit_bits, sizeof unit);
  int8_t entries[16], integers[32];
  for (int code = 0; code < 8; code++) {
    const int binade = code >> rows->mantissa_bits, above = binade > 1 ? binade - 1 : 0;
    entries[code] = (int8_t)((code - (above << rows->mantissa_bits)) << above), entries[code + 8] = -entries[code];
  }
  const ptrdiff_t blocks = blocks_of_row(rows), bytes = bytes_of_block(rows);
  const uint8_t *codes = rows->codes;
  for (; count > 0; count--, codes += bytes_of_row(rows), out += rows->width) {
    for (ptrdiff_t block = 0; block < blocks; block++) {
      const float scale = e8m0_scale(codes[blocks * bytes + block]);
      const uint8_t *own = codes + block * bytes;
      float *to = out + block * rows->size;
      if (rows->kind == CODED_BYTES) decode_bytes(rows, own, bytes, to, scale);
      else if (rows->kind == CODED_INTEGERS) decode_integers((const int8_t *)own, bytes, to, scale * unit);
      else
        for (ptrdiff_t at = 0; at < bytes; at += 16) {
          look_up_nibbles(own + at, entries, integers);
          decode_integers(integers, 32, to + 2 * at, scale * unit);
        }
    }
  }
}
