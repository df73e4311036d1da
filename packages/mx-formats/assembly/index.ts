// The WebAssembly kernels of the package. All addresses and sizes are the caller's: see `src/wasm/engine.ts`.

export { encodeColumns, roundColumns } from './columns';
export { decodeColumns, decodeRows } from './decode';
export { largestInMemory, roundRowsInMemory, roundSlabsInMemory } from './in-memory';
export { encodeIntegersInMemory } from './integers';
export { packCodes, unpackCodes } from './packing';
export { philoxGroups } from './philox';
export { encodeRows, largestFinite, roundRows } from './rows';
export { configureBlocks, configureElement, configureWords } from './settings';
export { initialize, workspaceBytes } from './workspace';
