/** Number of previous steps that a loss is compared with. */
const window = 50;
/** A spike is this many standard deviations of the window above its mean, … */
const deviations = 5;
/** … and at least this many nats. */
const atLeast = 0.2;

/**
 * Counts loss spikes: a batch whose loss exceeds the mean of the 50 losses before it by more than five standard
 * deviations and by 0.2 nats. A spike counts once, until the loss is below the mean before it plus 0.2 nats, and its
 * losses are not added to the window.
 */
export function countSpikes(losses: readonly number[]): number {
  const recent: number[] = [];
  let spikes = 0;
  let inside = false;
  for (const loss of losses) {
    if (recent.length >= window) {
      const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
      const variance = recent.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (recent.length - 1);
      const excess = loss - mean;
      if (inside) {
        if (excess >= atLeast) continue;
        inside = false;
      } else if (excess > Math.max(deviations * Math.sqrt(variance), atLeast)) {
        inside = true;
        spikes++;
        continue;
      }
      recent.shift();
    }
    recent.push(loss);
  }
  return spikes;
}
