export { type LoadedLedger, readLedger } from './ledger/ledger.js';
export type { LedgerRecord } from './ledger/record.js';
export { main } from './main.js';
export { confidenceInterval, type Interval } from './report/statistics.js';
export { loadStudy, parseStudy } from './study/load.js';
export { type Study, type StudyInput, studySchema } from './study/schema.js';
export type { TrialResult } from './trial/result.js';
export type { Trial, TrialConfiguration } from './trial/trial.js';
