/** The column at which lines of the sources end. */
export const width: number;

/** The lines of a doc comment. */
export function commentLines(paragraphs: readonly string[], indent: string): string[];

/** Lines of at most `most` columns. */
export function wrapped(text: string, most: number): string[];
