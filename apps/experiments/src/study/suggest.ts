import { distance } from 'fastest-levenshtein';

/** ` Did you mean x?` with the allowed word nearest to what was typed, or nothing where none is near. */
export function didYouMean(typed: string, allowed: readonly string[]): string {
  // No name is longer; to compare longer texts takes long.
  if (typed.length > 64) return '';
  const ranked = allowed
    // A word that goes on where the typed one ends is nearer than any misspelling.
    .map((word) => ({ word, steps: word.startsWith(typed) ? 0 : distance(typed.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  const best = ranked[0];
  // A third of the letters: two that changed places count as two.
  const near = Math.ceil(typed.length / 3);
  return best !== undefined && best.steps <= near ? ` Did you mean ${best.word}?` : '';
}
