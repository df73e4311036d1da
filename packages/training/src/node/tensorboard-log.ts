import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LmdError, type OptionsOf, type OptionTable, option, resolveOptions } from '@lmd/core';
import type { EvaluationEvent, ReportEvent, StepEvent } from '../events.js';
import type { Json } from '../json.js';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';
import { decodeEvents, encodeEvent, fileVersion, type PlacedRecord } from './event-records.js';
import { hasCode, withFileErrors } from './file-errors.js';

/** The options of `tensorboardLog`, declared once. */
export const tensorboardLogOptionTable = {
  /** Folder of the event file, which TensorBoard shows as one run. It is created if missing. Required. */
  folder: option.text({
    required: true,
    describe: 'Folder of the event file, which TensorBoard shows as one run. It is created if missing.',
  }),
  /**
   * Whether a new run may replace the event files of another. A resumed run always continues its own file. True or
   * false; default false.
   */
  replace: option.boolean({
    default: false,
    describe: 'Whether a new run may replace the event files of another. A resumed run always continues its own file.',
  }),
} as const satisfies OptionTable;

export interface TensorboardLogOptions extends OptionsOf<typeof tensorboardLogOptionTable> {}

/** TensorBoard reads the files with this in their names. */
const marker = 'tfevents';

/**
 * Appends every step, evaluation and report to an event file of TensorBoard 2: `loss/train`, `loss/validation`,
 * `accuracy/validation`, `loss/test`, `accuracy/test`, and the numbers of a report over all weights as `<plugin>/…`.
 * Values are 32-bit floats. A resumed run first removes the events after its checkpoint, so that no step is missing or
 * occurs twice.
 *
 * @throws LmdError `RUN_EXISTS` if a new run would replace the events of another; `FILE_SYSTEM`.
 */
export function tensorboardLog(options: TensorboardLogOptions): Plugin {
  const { folder, replace } = resolveOptions('tensorboardLog', tensorboardLogOptionTable, options);
  let file: FileHandle | undefined;
  let path = folder;
  const append = (bytes: Buffer) => withFileErrors('write', path, () => file!.appendFile(bytes));
  const write = (step: number, scalars: Readonly<Record<string, number>>) =>
    append(encodeEvent({ wallTime: Date.now() / 1000, step, scalars }));
  return {
    ...pluginMarker,
    name: 'tensorboardLog',
    async start({ startStep, resumedFrom }, run) {
      const isResumed = resumedFrom !== undefined || startStep > 0;
      await withFileErrors('make', folder, () => mkdir(folder, { recursive: true }));
      const existing = await eventFiles(folder);
      if (existing.length > 0 && !isResumed && !replace) {
        throw new LmdError('RUN_EXISTS', `${folder} has the event files of another run.`, {
          subject: folder,
          remedy: 'Use another folder, or resume that run.',
        });
      }
      const own = isResumed ? existing.at(-1) : undefined;
      if (!isResumed) for (const other of existing) await withFileErrors('remove', other, () => rm(other));
      path = own ?? newPath(folder);
      await withFileErrors('write', path, async () => {
        file = await open(path, 'a');
      });
      if (own === undefined) await append(encodeEvent({ wallTime: Date.now() / 1000, step: 0, fileVersion }));
      else await truncateAfter(path, file!, startStep, run);
    },
    step: ({ step, loss }: StepEvent) => write(step, { 'loss/train': loss }),
    evaluate: ({ step, split, loss, accuracy }: EvaluationEvent) =>
      write(step, { [`loss/${split}`]: loss, [`accuracy/${split}`]: accuracy }),
    async report({ step, plugin, data }: ReportEvent) {
      const scalars = scalarsOf(data, plugin);
      if (Object.keys(scalars).length > 0) await write(step, scalars);
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

/** The paths of the event files in a folder, oldest first. */
async function eventFiles(folder: string): Promise<string[]> {
  const names = await withFileErrors('read', folder, () => readdir(folder));
  return names
    .filter((name) => name.includes(marker))
    .sort()
    .map((name) => join(folder, name));
}

function newPath(folder: string): string {
  return join(folder, `events.out.${marker}.${String(Math.floor(Date.now() / 1000)).padStart(10, '0')}.lmd`);
}

/** Cuts the file before the first event after `step`: events are in the order of steps. */
async function truncateAfter(path: string, file: FileHandle, step: number, run: TrainingRun): Promise<void> {
  const bytes = await withFileErrors('read', path, () => readFile(path));
  const { records, tail } = decodeEvents(bytes);
  const past = records.findIndex((placed) => isPast(placed, step));
  const kept = past < 0 ? records : records.slice(0, past);
  const end = kept.at(-1)?.end ?? 0;
  if (tail === 'damaged' && past < 0) {
    const message = `${path} is damaged at byte ${end}; its events from there on are removed.`;
    await run.announce({ type: 'warning', step, message });
  }
  await withFileErrors('write', path, async () => {
    if (end < bytes.length) await file.truncate(end);
    if (end === 0) await file.appendFile(encodeEvent({ wallTime: Date.now() / 1000, step: 0, fileVersion }));
  });
}

/** The test comes after all steps, and runs again. */
function isPast({ record: { step: at, scalars = {} } }: PlacedRecord, step: number): boolean {
  return at > step || Object.keys(scalars).some((tag) => tag.endsWith('/test'));
}

/** The numbers of a report over all weights; the values of single weights and histograms are left out. */
function scalarsOf(data: Json, prefix: string): Record<string, number> {
  if (typeof data === 'number') return { [prefix]: data };
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return {};
  const parts = Object.entries(data).filter(([name]) => name !== 'weights');
  return Object.assign(
    {},
    ...parts.map(([name, value]) => scalarsOf(value, name === 'all' ? prefix : `${prefix}/${name}`)),
  );
}

/** Removes the event files of a folder, if it exists: those of a run that never started. */
export async function removeEventFiles(folder: string): Promise<void> {
  let files: string[];
  try {
    files = await eventFiles(folder);
  } catch (error) {
    if (hasCode((error as { cause?: unknown }).cause, 'ENOENT')) return;
    throw error;
  }
  for (const path of files) await withFileErrors('remove', path, () => rm(path, { force: true }));
}
