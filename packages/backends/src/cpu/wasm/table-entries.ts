/** The names of an entry's words: all members of its enumeration but `words`, which counts them. */
type WordName<Layout> = Exclude<keyof Layout & string, 'words'>;

/** Writes the entry of a table that begins at word `start`: each value at its place in the enumeration. */
export function setEntry<Layout extends { readonly words: number }>(
  table: Int32Array,
  layout: Layout,
  start: number,
  values: Readonly<Record<WordName<Layout>, number>>,
): void {
  const places: Readonly<Record<string, number>> = layout as unknown as Readonly<Record<string, number>>;
  const numbers: Readonly<Record<string, number>> = values;
  // Faster than by Object.entries, which makes an array for each word: a step of LMD writes an entry for each tensor
  // and sample.
  for (const name in numbers) table[start + places[name]!] = numbers[name]!;
}
