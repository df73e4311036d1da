/** Files that other programs create in a folder. */
const leftByPrograms = new Set(['__macosx', 'thumbs.db', 'desktop.ini']);

/**
 * Whether a file or folder is not data: its name starts with a dot, or it was created by another program.
 */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || leftByPrograms.has(name.toLowerCase());
}
