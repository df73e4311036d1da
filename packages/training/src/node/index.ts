export { latestCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint-files.js';
export { type CheckpointEntry, type CheckpointManifest, readManifest } from './checkpoint-manifest.js';
export { type CheckpointingOptions, checkpointing } from './checkpointing.js';
export { exportModel, importModel } from './export-model.js';
export { fileSystemError, withFileErrors } from './file-errors.js';
export { interruptSignal } from './interrupt-signal.js';
export { type MetricsFileOptions, type MetricsLine, metricsFile, readMetrics } from './metrics-file.js';
export { claimRunFolder, createRunFolder } from './run-folder.js';
export { lockRun, type RunLock } from './run-lock.js';
