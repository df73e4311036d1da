import { distance } from 'fastest-levenshtein';

/** No key or name is longer. Comparing longer texts would be slow. */
const longestWord = 64;

/** The allowed word closest to the typed one, ignoring case; undefined if none is close. */
export function nearest(typed: string, allowed: readonly string[]): string | undefined {
  if (typed.length > longestWord) return undefined;
  const lower = typed.toLowerCase();
  const ranked = allowed
    // A word that starts with the typed one is closer than any misspelling.
    .map((word) => ({ word, steps: word.toLowerCase().startsWith(lower) ? 0 : distance(lower, word.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  const [best] = ranked;
  // At most a third of the letters may differ. Two transposed letters count as two.
  return best !== undefined && lower !== '' && best.steps <= Math.ceil(typed.length / 3) ? best.word : undefined;
}

/** ` Did you mean x?` or nothing, to be appended to a sentence. */
export function didYouMean(typed: string, allowed: readonly string[]): string {
  const word = nearest(typed, allowed);
  return word === undefined ? '' : ` Did you mean ${word}?`;
}
