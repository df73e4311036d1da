/** What other programs leave in a folder. */
const leftByPrograms = new Set(['__macosx', 'thumbs.db', 'desktop.ini']);

/**
 * Whether a file or folder found in a folder of data is no data: one that begins with a dot, or that a program has
 * left.
 */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || leftByPrograms.has(name.toLowerCase());
}
