import { distance } from 'fastest-levenshtein';

/** No key or name is longer; to compare longer texts takes long. */
const longestWord = 64;

/** The allowed word nearest to what was typed, case ignored, or undefined where none is near enough to be meant. */
export function nearest(typed: string, allowed: readonly string[]): string | undefined {
  if (typed.length > longestWord) return undefined;
  const lower = typed.toLowerCase();
  const ranked = allowed
    // A word that goes on where the typed one ends is nearer than any misspelling.
    .map((word) => ({ word, steps: word.toLowerCase().startsWith(lower) ? 0 : distance(lower, word.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  const [best] = ranked;
  // A third of the letters: two that changed places count as two.
  return best !== undefined && lower !== '' && best.steps <= Math.ceil(typed.length / 3) ? best.word : undefined;
}

/** ` Did you mean x?` or nothing, to be appended to a sentence. */
export function didYouMean(typed: string, allowed: readonly string[]): string {
  const word = nearest(typed, allowed);
  return word === undefined ? '' : ` Did you mean ${word}?`;
}
