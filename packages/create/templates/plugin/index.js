// @ts-check
import { LmdError, option, resolveOptions } from '@lmd/core';

/** The options of `create`, which `lmd` checks against this table. */
export const optionTable = {
  every: option.integer({ atLeast: 1, default: 10, describe: 'Number of steps whose mean loss is logged.' }),
};

/**
 * Logs the mean loss of every ten steps. Hooks that it does not have are left out; each receives the event and the run.
 * A plugin with memory stores it in checkpoints, so that a resumed run logs what an uninterrupted one does.
 *
 * @param {import('@lmd/core').OptionsOf<typeof optionTable>} [options]
 * @param {{ readonly write?: (line: string) => void }} [context] `write`: where the lines go, by default standard error.
 * @returns {import('@lmd/training').Plugin}
 */
export function create(options = {}, { write = (line) => process.stderr.write(`${line}\n`) } = {}) {
  const { every } = resolveOptions('myPlugin', optionTable, options);
  /** @type {number[]} */
  let losses = [];
  return {
    // The contract that this file was written for.
    specVersion: 'lmd-plugin-v1',
    name: 'myPlugin',
    start() {
      losses = [];
    },
    step({ step, loss }) {
      losses.push(loss);
      if (losses.length < every) return;
      const mean = losses.reduce((a, b) => a + b) / losses.length;
      write(`step ${step}: loss ${mean.toFixed(4)}`);
      losses = [];
    },
    state: () => ({ data: losses }),
    restore({ data }) {
      if (!Array.isArray(data)) throw new LmdError('INVALID_ARGUMENT', 'myPlugin: the checkpoint has no losses.');
      losses = data.map(Number);
    },
  };
}
