import { UsageError } from '../errors.js';
import { showValue } from '../output/show.js';
import { differences } from './differences.js';
import type { Configuration } from './schema.js';

/** Keys that do not affect the training, including all keys below them. */
const free = [
  ...['backend', 'checkpoints', 'diagnostics', 'evaluation', 'logging', 'samples', 'threads', 'updateInPlace'],
  ...['data.folder', 'data.path', '$schema'],
  ...['timeoutMs', 'compareEvery', 'retainedRounds', 'quorum', 'deadlineMs'].map((name) => `distributed.${name}`),
];

/** Why a key cannot change in a run that has started; undefined if it can. */
function reasonAgainst(key: string, configuration: Configuration): string | undefined {
  if (key === 'steps') {
    const isConstant = configuration.optimizers.every(({ schedule }) => schedule.kind === 'constant');
    return isConstant ? undefined : 'the schedule of the learning rate depends on it';
  }
  if (key.startsWith('evaluation.') && key !== 'evaluation.batchSize' && configuration.earlyStopping !== undefined) {
    return 'earlyStopping depends on it';
  }
  return free.some((name) => key === name || key.startsWith(`${name}.`)) ? undefined : 'the training depends on it';
}

/**
 * Checks that a run can be resumed with a changed configuration.
 *
 * @throws UsageError `INVALID_ARGUMENT` naming the first key that cannot change, its values, and the reason.
 */
export function checkResumable(before: Configuration, after: Configuration): void {
  for (const { key, values } of differences([before, after])) {
    const [was, is] = values;
    const reason = reasonAgainst(key, before);
    if (reason === undefined) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--set ${key}=${showValue(is)}: this run started with ${showValue(was)}, and ${reason}.`,
      {
        subject: key,
        value: is,
        remedy:
          'With --resume, you can change evaluation, samples, checkpoints, diagnostics, logging, ' +
          'backend, threads, updateInPlace, data.folder or data.path, and steps with constant schedules. Start a new run for other changes.',
      },
    );
  }
}
