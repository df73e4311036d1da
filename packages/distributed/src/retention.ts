import { type OptionTable, option } from '@lmd/core';

/** The option that transports of ours have. */
export const retentionOptionTable = {
  /**
   * Number of newest rounds of each channel that are kept, for workers that are late or resume. A whole number, at
   * least 1; default 20.
   */
  retainedRounds: option.integer({
    atLeast: 1,
    default: 20,
    describe: 'Number of newest rounds of each channel that are kept, for workers that are late or resume.',
  }),
} as const satisfies OptionTable;
