/**
 * True for parameters that LMD can train: matrices and embedding tables with random initial values, whose spread
 * determines the medians. False for biases, gains, class tokens and position embeddings, which start at constants or
 * small noise around zero and are trained by an additive optimizer such as AdamW.
 */
export function lmdParameter(name: string, shape: readonly number[]): boolean {
  return shape.length >= 2 && (name === 'weight' || name.endsWith('.weight'));
}
