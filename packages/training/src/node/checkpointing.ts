import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isLmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { CheckpointEvent } from '../events.js';
import type { Plugin } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { checkpointSteps, removeCheckpoints, writeCheckpointIn } from './checkpoint-files.js';
import { updateManifest } from './checkpoint-manifest.js';
import { withFileErrors } from './file-errors.js';
import { removeLeftovers } from './leftovers.js';

/** The options of `checkpointing`, declared once. */
export const checkpointingOptionTable = {
  /**
   * Folder of the checkpoints, one file each. It is created if missing; only one run at a time may write to it.
   * Required.
   */
  folder: option.text({
    required: true,
    describe:
      'Folder of the checkpoints, one file each. It is created if missing; only one run at a time may write to it.',
  }),
  /**
   * Number of steps between checkpoints. One is also written when the run ends, for whatever reason. A whole number, at
   * least 1; required.
   */
  every: option.integer({
    atLeast: 1,
    required: true,
    describe: 'Number of steps between checkpoints. One is also written when the run ends, for whatever reason.',
  }),
  /**
   * Number of most recent checkpoints to keep, in addition to the best; with 2, one remains if the newest is damaged. A
   * whole number, at least 1; default 2.
   */
  keep: option.integer({
    atLeast: 1,
    default: 2,
    describe:
      'Number of most recent checkpoints to keep, in addition to the best; with 2, one remains if the newest is ' +
      'damaged.',
  }),
  /**
   * Validation metric by which the best checkpoint is also kept; `none` keeps only the most recent ones. `loss`,
   * `accuracy` or `none`; default `loss`.
   */
  best: option.choice(['loss', 'accuracy', 'none'], {
    default: 'loss',
    describe: 'Validation metric by which the best checkpoint is also kept; `none` keeps only the most recent ones.',
  }),
} as const satisfies OptionTable;

export interface CheckpointingOptions extends OptionsOf<typeof checkpointingOptionTable> {}

type Memory = { readonly bestStep: number | null; readonly best: number | null };

const fresh: Memory = { bestStep: null, best: null };

/**
 * Writes checkpoints, each atomically: every `every` steps, after a better validation result, and at the end of the
 * run, whether finished, stopped, interrupted or failed (then of the last good state). Removes old ones only after a
 * new one is complete, and then lists the remaining ones in `manifest.json`, for people and other programs. If the list
 * cannot be written, it warns.
 */
export function checkpointing(options: CheckpointingOptions): Plugin {
  const checked = resolveOptions('checkpointing', checkpointingOptionTable, options);
  const { folder, every, keep, best: metric } = checked;
  let memory = fresh;
  let newest: number | undefined;
  let warned = false;
  return {
    ...pluginMarker,
    name: 'checkpointing',
    async start({ startStep, resumedFrom }) {
      memory = fresh;
      newest = resumedFrom === undefined ? undefined : startStep;
      warned = false;
      const parent = dirname(folder);
      await withFileErrors('make', parent, () => mkdir(parent, { recursive: true }));
      await removeLeftovers(folder);
    },
    evaluate(event) {
      if (event.split !== 'validation' || metric === 'none') return;
      const value = event[metric];
      // With a loss of NaN the accuracy is meaningless.
      if (!Number.isFinite(event.loss) || !Number.isFinite(value)) return;
      const isBetter = memory.best === null || (metric === 'loss' ? value < memory.best : value > memory.best);
      if (isBetter) memory = { bestStep: event.step, best: value };
    },
    async settle({ step, ending }, run) {
      const reason: CheckpointEvent['reason'] | undefined =
        ending ?? (step % every === 0 ? 'interval' : memory.bestStep === step ? 'best' : undefined);
      // A state that is already saved is not saved again, for example if the next step fails.
      if (reason === undefined || newest === step) return;
      const snapshot = await run.snapshot();
      const path = await writeCheckpointIn(folder, snapshot);
      newest = step;
      await run.announce({ type: 'checkpoint', step, path, reason });
      // Later steps belong to corrupt files that were skipped on resume; they are neither counted nor removed.
      const steps = (await checkpointSteps(folder)).filter((other) => other <= step);
      const old = steps.slice(0, -keep).filter((other) => other !== memory.bestStep);
      await removeCheckpoints(folder, old);
      const left = steps.filter((other) => !old.includes(other));
      try {
        await updateManifest(folder, snapshot, { path, reason }, left);
      } catch (error) {
        // The manifest is only informational and the checkpoint is complete, so this does not end the run.
        if (!isLmdError(error, 'FILE_SYSTEM') || warned) return;
        warned = true;
        await run.announce({
          type: 'warning',
          step,
          message: `The list of checkpoints is out of date: ${error.message}`,
        });
      }
    },
    state: () => ({ data: memory }),
    restore({ data }) {
      memory = data as Memory;
    },
  };
}
