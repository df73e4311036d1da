/** Writes the data that the page fetches from its own site, if they are not there. */
export function packData(folder?: string): Promise<void>;
