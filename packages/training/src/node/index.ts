export { latestCheckpoint, readCheckpoint, writeCheckpoint } from './checkpointFiles.js';
export { type CheckpointingOptions, checkpointing } from './checkpointing.js';
export { exportModel, importModel } from './exportModel.js';
export { type MnistFolderOptions, readIdxFile, readMnistFolder } from './idxFiles.js';
export { type MetricsFileOptions, type MetricsLine, metricsFile, readMetrics } from './metricsFile.js';
export { claimRunFolder, createRunFolder } from './runFolder.js';
export { lockRun, type RunLock } from './runLock.js';
