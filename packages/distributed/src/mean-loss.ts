/** The mean of the losses of the posterior samples, rounded as the step of one process rounds it. */
export function meanLoss(losses: readonly number[]): number {
  const sum = losses.reduce((a, b) => Math.fround(a + b));
  return Math.fround(sum * Math.fround(1 / losses.length));
}
