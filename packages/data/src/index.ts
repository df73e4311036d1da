export { type FingerprintPart, fingerprintOf } from '@lmd/training';
export * from './images/index.js';
export * from './text/index.js';
