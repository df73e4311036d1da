import { distance } from 'fastest-levenshtein';

/** ` Did you mean x?` with the allowed word nearest to what was typed, or nothing where none is near. */
export function didYouMean(typed: string, allowed: readonly string[]): string {
  const ranked = allowed
    .map((word) => ({ word, steps: distance(typed.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  const best = ranked[0];
  const near = Math.max(1, Math.floor(typed.length / 3));
  return best !== undefined && best.steps <= near ? ` Did you mean ${best.word}?` : '';
}
