export { type AtomicFile, createAtomicFile } from './atomic-file.js';
export { openSafetensorsFile, readSafetensorsFile, type SafetensorsFile, writeSafetensorsFile } from './files.js';
export { type FileContents, writeFileAtomic } from './write-file-atomic.js';
