export function bumpsOfDependents(
  folder: string,
): Map<string, { readonly bump: 'minor' | 'major'; readonly broken: readonly string[] }>;
/** A changelog whose newest version names what breaks first in each section. */
export function breaksFirst(text: string): string;
