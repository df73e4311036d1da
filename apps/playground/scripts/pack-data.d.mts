/** Writes the data that the page fetches from its own site, if they are not there. */
export function packData(folder?: string): Promise<void>;
/** Bytes as an IDX file. */
export function idxFile(data: Uint8Array, shape: readonly number[]): Uint8Array;
/** The first entries of an IDX file of bytes, as an IDX file. */
export function firstOfIdx(file: Uint8Array, count: number): Uint8Array;
