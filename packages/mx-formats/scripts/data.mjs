/** Reproducible test data: 2^16 values of each kind, the same on every machine. */
const count = 2 ** 16;

function normalSource(seed) {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Kinds of data by name: what is drawn, in words, and the values. */
export function dataSets() {
  const normal = normalSource(1);
  const logNormal = normalSource(2);
  const outliers = normalSource(3);
  return {
    normal: { words: 'N(0, 1)', values: Float32Array.from({ length: count }, normal) },
    'log-normal': {
      words: '± exp N(0, 1.5²)',
      values: Float32Array.from({ length: count }, () => Math.sign(logNormal()) * Math.exp(1.5 * logNormal())),
    },
    outliers: {
      words: 'N(0, 1), one value in 128 times 50',
      values: Float32Array.from({ length: count }, (_, i) => outliers() * (i % 128 === 77 ? 50 : 1)),
    },
  };
}
