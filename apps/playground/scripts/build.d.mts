/** Packs the data and builds the page, to dist. */
export function buildPage(): Promise<void>;
