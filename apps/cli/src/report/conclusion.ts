import { percent } from '../output/units.js';
import type { TrialResult } from '../run/types.js';

interface Ranked {
  readonly optimizer: string;
  readonly accuracy: number;
  readonly loss: number;
}

/** The outcome of a run in a sentence or two: by accuracy for images, by loss for text. */
export function conclusionOf(results: readonly TrialResult[]): string {
  const isTested = results.every(({ testLoss }) => testLoss !== undefined);
  const isText = results.some(({ tokensPerSecond }) => tokensPerSecond !== undefined);
  const split = isTested ? 'test' : 'validation';
  const ranked = results
    .map((result): Ranked => {
      const { optimizer, testAccuracy, testLoss, validationAccuracy, validationLoss } = result;
      return isTested
        ? { optimizer, accuracy: testAccuracy!, loss: testLoss! }
        : { optimizer, accuracy: validationAccuracy!, loss: validationLoss! };
    })
    .filter(({ loss }) => Number.isFinite(loss))
    .sort((a, b) => (isText ? a.loss - b.loss : b.accuracy - a.accuracy || a.loss - b.loss));
  const [best, next] = ranked;
  if (best === undefined) return `No optimizer reached a finite ${split} loss.`;
  const shown = ({ accuracy, loss }: Ranked) =>
    isText ? `${loss.toFixed(4)} nats per token (perplexity ${Math.exp(loss).toFixed(2)})` : percent(accuracy);
  const measure = isText ? `${split} loss` : `${split} accuracy`;
  if (next === undefined) return `${best.optimizer} reaches a ${measure} of ${shown(best)}.`;
  const single = 'A single seed does not rank optimizers.';
  if (shown(best) === shown(next)) {
    return `${best.optimizer} and ${next.optimizer} have the same ${measure}, ${shown(best)}. ${single}`;
  }
  const extreme = isText ? 'lowest' : 'highest';
  return (
    `${best.optimizer} has the ${extreme} ${measure}, ${shown(best)}; ${next.optimizer} follows with ${shown(next)}. ` +
    single
  );
}
