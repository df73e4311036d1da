import { LmdError, type LmdErrorDetails } from '@lmd/core';

/** Exit codes of `lmd-experiments`: 0 all done, 1 failure, 2 a mistake in the command or the study, 130 stopped by Ctrl-C. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** A mistake in the study or in the command, found before anything ran. */
export class StudyError extends LmdError {
  constructor(code: 'INVALID_ARGUMENT' | 'UNKNOWN_OPTION', message: string, details: LmdErrorDetails = {}) {
    super(code, message, details);
    this.name = 'StudyError';
  }
}
