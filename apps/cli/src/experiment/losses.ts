/** Means over up to `stretches` equal stretches, each with the last step (from 1) that it covers. */
export function stretchMeans(losses: readonly number[], stretches: number): [number, number][] {
  const count = Math.min(stretches, losses.length);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.round((losses.length * index) / count);
    const to = Math.round((losses.length * (index + 1)) / count);
    const part = losses.slice(from, to);
    return [to, Number((part.reduce((sum, value) => sum + value, 0) / part.length).toPrecision(5))];
  });
}

/** The mean over the last tenth of the steps, at least one; null if there are none. */
export function finalLoss(losses: readonly number[]): number | null {
  if (losses.length === 0) return null;
  const last = losses.slice(-Math.max(1, Math.floor(losses.length / 10)));
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}
