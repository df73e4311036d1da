export type { SafetensorsFile } from '../open.js';
export { type AtomicFile, createAtomicFile } from './atomic-file.js';
export { fileRemedy } from './file-errors.js';
export {
  openSafetensorsFile,
  openShardedSafetensors,
  readSafetensorsFile,
  writeSafetensorsFile,
} from './files.js';
export { createSafetensorsWriter, type SafetensorsWriter, type SafetensorsWriterInput } from './safetensors-writer.js';
export {
  createShardedSafetensorsWriter,
  type ShardedSafetensorsWriter,
  type ShardedSafetensorsWriterInput,
} from './sharded-writer.js';
export { type FileContents, writeFileAtomic } from './write-file-atomic.js';
