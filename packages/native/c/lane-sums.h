// Sums over a row, in lanes that do not depend on the width of vectors: of 8 or 16 terms at a time, then of 4, whose
// lanes are added at last. A term after the last whole group goes to the lane of its place modulo 4.

/** Four sums: term i of eight goes to the sum i mod 4. */
static inline void fold_eight(eight sums, float four[4]) {
  float lanes[8];
  eight_store(lanes, sums);
  for (int i = 0; i < 4; i++) four[i] = lanes[i] + lanes[i + 4];
}

static inline void fold_sixteen(eight low, eight high, float four[4]) {
  float others[4];
  fold_eight(low, four);
  fold_eight(high, others);
  for (int i = 0; i < 4; i++) four[i] += others[i];
}

static inline float total_of(const float four[4]) { return (four[0] + four[2]) + (four[1] + four[3]); }
