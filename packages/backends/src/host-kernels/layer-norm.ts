/**
 * Layer normalisation (Ba et al., arXiv:1607.06450) of each row of `width` values: biased variance, sums in float64.
 */
export function layerNorm(
  x: Float32Array,
  gain: Float32Array,
  bias: Float32Array,
  epsilon: number,
  out: Float32Array,
): void {
  const width = gain.length;
  for (let start = 0; start < x.length; start += width) {
    const mean = rowMean(x, start, width);
    const scale = inverseDeviation(x, start, width, mean, epsilon);
    for (let j = 0; j < width; j++) out[start + j] = (x[start + j]! - mean) * scale * gain[j]! + bias[j]!;
  }
}

/** Gradients of `layerNorm` for x (into `out`), gain and bias (summed over the rows). */
export function layerNormGradient(
  x: Float32Array,
  gain: Float32Array,
  dy: Float32Array,
  epsilon: number,
  out: Float32Array,
  gainGradient: Float32Array,
  biasGradient: Float32Array,
): void {
  const width = gain.length;
  // Sums over thousands of rows are kept in float64 and rounded once.
  const gainSum = new Float64Array(width);
  const biasSum = new Float64Array(width);
  for (let start = 0; start < x.length; start += width) {
    const mean = rowMean(x, start, width);
    const scale = inverseDeviation(x, start, width, mean, epsilon);
    let sum = 0;
    let inner = 0;
    for (let j = 0; j < width; j++) {
      const normalized = (x[start + j]! - mean) * scale;
      const upstream = dy[start + j]!;
      const scaled = upstream * gain[j]!;
      gainSum[j]! += upstream * normalized;
      biasSum[j]! += upstream;
      sum += scaled;
      inner += scaled * normalized;
    }
    const meanScaled = sum / width;
    const meanInner = inner / width;
    for (let j = 0; j < width; j++) {
      const normalized = (x[start + j]! - mean) * scale;
      out[start + j] = scale * (dy[start + j]! * gain[j]! - meanScaled - normalized * meanInner);
    }
  }
  gainGradient.set(gainSum);
  biasGradient.set(biasSum);
}

function rowMean(x: Float32Array, start: number, width: number): number {
  let sum = 0;
  for (let j = 0; j < width; j++) sum += x[start + j]!;
  return sum / width;
}

function inverseDeviation(x: Float32Array, start: number, width: number, mean: number, epsilon: number): number {
  let squares = 0;
  for (let j = 0; j < width; j++) {
    const centred = x[start + j]! - mean;
    squares += centred * centred;
  }
  return 1 / Math.sqrt(squares / width + epsilon);
}
