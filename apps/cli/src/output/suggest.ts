/**
 * Optimal string alignment distance: the fewest single-character insertions, deletions, substitutions and exchanges of
 * neighbours that turn `a` into `b`.
 */
export function editDistance(a: string, b: string): number {
  const distance = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (_, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  for (let row = 1; row <= a.length; row++) {
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        distance[row - 1]![column]! + 1,
        distance[row]![column - 1]! + 1,
        distance[row - 1]![column - 1]! + (same ? 0 : 1),
      );
      const exchanged = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (exchanged) best = Math.min(best, distance[row - 2]![column - 2]! + 1);
      distance[row]![column] = best;
    }
  }
  return distance[a.length]![b.length]!;
}

/** No key or name is longer; to compare longer texts takes long. */
const longestWord = 64;

/** The allowed word nearest to what was typed, case ignored, or undefined where none is near enough to be meant. */
export function nearest(typed: string, allowed: readonly string[]): string | undefined {
  if (typed.length > longestWord) return undefined;
  const ranked = allowed
    .map((word) => ({ word, distance: editDistance(typed.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(typed.length / 3)) ? best.word : undefined;
}

/** ` Did you mean x?` or nothing, to be appended to a sentence. */
export function didYouMean(typed: string, allowed: readonly string[]): string {
  const word = nearest(typed, allowed);
  return word === undefined ? '' : ` Did you mean ${word}?`;
}
