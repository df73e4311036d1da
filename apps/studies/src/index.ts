export type { RecordedResult as TrialResult } from '@lmd/cli/experiment';
export { type LedgerRecord, type LoadedLedger, readLedger, type TrialConfiguration } from '@lmd/cli/experiment';
export { main } from './main.js';
export type { Trial } from './plan/trial.js';
export { confidenceInterval, type Interval } from './report/statistics.js';
export { loadStudy, parseStudy } from './study/load.js';
export { type Study, type StudyInput, studySchema } from './study/schema.js';
