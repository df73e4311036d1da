/**
 * Packs the data and builds the page.
 *
 * @param outDir a folder that it empties first; default: dist.
 */
export function buildPage(outDir?: string): Promise<void>;
