export { openSafetensorsFile, readSafetensorsFile, type SafetensorsFile, writeSafetensorsFile } from './files.js';
export { type FileContents, writeFileAtomic } from './write-file-atomic.js';
