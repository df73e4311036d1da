import { UsageError } from '../errors.js';
import { showValue } from '../output/show.js';
import type { Configuration } from './schema.js';

interface Change {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Keys that change no bit of the training, with all below them. */
const free = [
  ...['backend', 'checkpoints', 'diagnostics', 'evaluation', 'samples', 'updateInPlace'],
  ...['data.folder', '$schema'],
];

/** The leaves in which two configurations differ. */
function changesBetween(before: unknown, after: unknown, key = ''): Change[] {
  if (Object.is(before, after)) return [];
  if (!isContainer(before) || !isContainer(after)) return [{ key, before, after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => changesBetween(before[name], after[name], key === '' ? name : `${key}.${name}`));
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Why a key keeps its value in a run that has begun; undefined where it may change. */
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
 * Checks that a run may go on with another configuration than it began with.
 *
 * @throws UsageError `INVALID_ARGUMENT` naming the first key that may not change, its values, and why.
 */
export function checkResumable(before: Configuration, after: Configuration): void {
  for (const { key, before: was, after: is } of changesBetween(before, after)) {
    const reason = reasonAgainst(key, before);
    if (reason === undefined) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--set ${key}=${showValue(is)}: this run began with ${showValue(was)}, and ${reason}.`,
      {
        subject: key,
        value: is,
        remedy:
          'On --resume, evaluation, samples, checkpoints, diagnostics, backend, updateInPlace and data.folder may change, and steps under constant schedules. Start a new run for other changes.',
      },
    );
  }
}
