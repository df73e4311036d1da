export function bumpsOfDependents(
  folder: string,
): Map<string, { readonly bump: 'minor' | 'major'; readonly broken: readonly string[] }>;
