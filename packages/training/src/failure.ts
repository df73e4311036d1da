import { isLmdError, LmdError } from '@lmd/core';
import { guarded } from './hooks.js';
import type { Run } from './run.js';

/**
 * Handles an error of a run: lets plugins save the last good state if there is one, notifies and closes them. Returns
 * the error to throw, which is the first one, so that later errors do not hide it.
 */
export async function fail(run: Run, error: unknown): Promise<unknown> {
  const savable = run.settled && !isLmdError(error, 'PLUGIN_FAILURE') && !isLmdError(error, 'BACKEND_FAILURE');
  let saving: unknown;
  if (savable) {
    saving = await attempt(() => run.announce({ type: 'settle', step: run.step, ending: 'failed' }));
  }
  const first = isLmdError(error, 'NON_FINITE') ? withCheckpoint(run, error, saving) : error;
  const asError = first instanceof Error ? first : new Error(String(first));
  await attempt(() => run.announce({ type: 'failure', step: run.step, error: asError }));
  await attempt(() => closePlugins(run));
  return first;
}

/** Closes all plugins once, also after one fails; then throws the first failure. */
export async function closePlugins(run: Run): Promise<void> {
  if (run.closed) return;
  run.closed = true;
  let first: unknown;
  for (const plugin of run.plan.plugins) {
    const failure = await attempt(() => guarded(plugin, 'close', () => plugin.close?.(run)));
    first ??= failure;
  }
  if (first !== undefined) throw first;
}

/** The error thrown by `body`, or undefined. */
async function attempt(body: () => unknown): Promise<unknown> {
  try {
    await body();
    return undefined;
  } catch (error) {
    return error ?? new Error('An undefined value was thrown.');
  }
}

function withCheckpoint(run: Run, error: LmdError, saving: unknown): LmdError {
  const { saved } = run;
  const where =
    saved === undefined
      ? 'No checkpoint was written.'
      : `The last good state, of step ${saved.step}, is in ${saved.path}.`;
  const failed = saving instanceof Error ? ` Saving failed: ${saving.message}` : '';
  return new LmdError('NON_FINITE', error.message, {
    subject: error.subject ?? '',
    value: error.value,
    remedy: `${where}${failed} Lower the learning rate, clip gradients or raise the precision, and resume from it.`,
    cause: error,
  });
}
