/**
 * Sizes, numbers of choices and places of settings that the C sources define, by their names there; a test compares
 * them (`sizes.test.ts`).
 */
export const sizes = {
  /** Words of `blockMatmul`'s settings before those of each operand. */
  SETTINGS: 4,
  OPERAND_WORDS: 11,
  MOST_BLOCK: 256,
  /** Words of a format's settings. */
  SETTING_WORDS: 17,
  /** Words of a sample in `lmdUpdate`'s table. */
  SAMPLE_WORDS: 6,
  /** Rows in a part of `layerNormGradient`. */
  NORM_PART_ROWS: 256,
  /** Rows in a strip of `turnMatrices`. */
  TURNED_ROWS: 32,
  /** Columns in a strip of `encodeIntegersOfColumns`. */
  STRIP_COLUMNS: 32,
  /** Codes of a chunk of packed weights, and words of their tables. */
  CHUNK_CODES: 64,
  TABLE_WORDS: 268,
  /** Widest rows of codes, and most of them for a head. */
  WIDEST_CODED_ROW: 1024,
  MOST_CODED_KEYS: 65536,
  CODED_KIND_COUNT: 3,
  UNARY_COUNT: 12,
  RANDOM_COUNT: 3,
  REGULARIZER_COUNT: 4,
  ROUNDING_COUNT: 4,
  PACKED_COUNT: 6,
  STOCHASTIC: 3,
} as const;

/** Places of words in a format's settings: `rounding_settings` in C. */
export const settingPlaces = { rounding: 13, block_size: 14, e4m3_scales: 15 } as const;
