import type * as Library from '../src/index.js';
/** Where the page is. */
export const page: string;
/** The page's text with the tables of this library in their places. */
export function withTables(text: string, library: typeof Library): string;
