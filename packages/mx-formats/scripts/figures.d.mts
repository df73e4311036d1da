import type * as Library from '../src/index.js';
/** Where the figure is. */
export const figure: string;
/** The figure of this library's element formats, as SVG. */
export function codePoints(library: typeof Library): string;
