/**
 * A text as one word of a POSIX shell: in single quotes, in which nothing is expanded, unless it needs none.
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
