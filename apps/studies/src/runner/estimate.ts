import type { TrialConfiguration, WorkUnit } from '@lmd/cli/experiment';
import type { Study } from '../study/schema.js';

/** The model and the data of a study, whose step is the unit of its estimates. */
export function studyUnit(study: Study): WorkUnit {
  return study.configuration as unknown as TrialConfiguration;
}
