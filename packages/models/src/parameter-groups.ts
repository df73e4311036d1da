/**
 * True for the parameters that LMD suits: matrices and embedding tables, initialised with a random draw whose spread
 * sets the medians. False for biases, gains, and class and position tokens, which begin at constants or small noise
 * around zero and go to an additive rule such as AdamW.
 */
export function lmdParameter(name: string, shape: readonly number[]): boolean {
  return shape.length >= 2 && (name === 'weight' || name.endsWith('.weight'));
}
