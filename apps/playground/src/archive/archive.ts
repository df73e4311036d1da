import { LmdError } from '@lmd/core';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '@lmd/training';
import { unzipSync, zipSync } from 'fflate';
import { checkedSettings, type Settings } from '../settings/settings.js';
import { runNames } from '../training/session.js';
import type { Task } from '../training/task.js';
import { configurationOf } from './configuration.js';
import { modelBytes } from './model-file.js';

/** The version of the file `playground.json` in a saved file. */
const format = 'lmd-playground-v1';
const note = 'playground.json';

/** What a file has: the settings, a checkpoint of each run, and the data that is the user's own. */
export interface Archive {
  readonly settings: Settings;
  readonly checkpoints: readonly [Checkpoint, Checkpoint];
  /** Files below `data/`. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * A run folder of `lmd` as a zip file: configuration, a checkpoint and a model of each run, and the user's own data. It
 * also has the settings of the page, which loads it again.
 */
export async function writeArchive(
  task: Task,
  settings: Settings,
  checkpoints: readonly [Checkpoint, Checkpoint],
): Promise<Uint8Array> {
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  const step = Math.max(...checkpoints.map((one) => one.step));
  const entries: Record<string, Uint8Array> = {
    'config.json': json(configurationOf(task, settings, step)),
    [note]: json({ format, settings }),
  };
  for (const [n, checkpoint] of checkpoints.entries()) {
    const name = runNames[n]!;
    entries[`${name}/checkpoints/${checkpointName(checkpoint)}`] = await encodeCheckpoint(checkpoint);
    entries[`${name}/model.safetensors`] = await modelBytes(task, settings, n, checkpoint);
  }
  for (const [name, bytes] of Object.entries(task.files)) entries[`data/${name}`] = bytes;
  // Weights do not compress.
  return zipSync(entries, { level: 0 });
}

export const checkpointName = ({ step }: Checkpoint) => `step-${String(step).padStart(8, '0')}.safetensors`;

/**
 * Reads what `writeArchive` wrote.
 *
 * @param name of the file, for errors.
 * @throws LmdError `DATA_CORRUPT` for another file or a damaged one, `CHECKPOINT_CORRUPT`, `INVALID_ARGUMENT` for a
 *   setting that is not allowed.
 */
export async function readArchive(bytes: Uint8Array, name: string): Promise<Archive> {
  const entries = entriesOf(bytes, name);
  const text = entries[note];
  if (text === undefined) throw foreign(name, `it has no ${note}`);
  let parsed: { readonly format?: unknown; readonly settings?: unknown };
  try {
    parsed = JSON.parse(new TextDecoder().decode(text));
  } catch (cause) {
    throw foreign(name, `its ${note} is damaged`, cause);
  }
  if (parsed.format !== format) {
    throw foreign(name, `its format is ${String(parsed.format)}, but this page reads ${format}`);
  }
  const settings = checkedSettings(parsed.settings);
  const checkpoints = await Promise.all(
    runNames.map((run) => {
      const path = Object.keys(entries)
        .filter((one) => one.startsWith(`${run}/checkpoints/`))
        .sort()
        .at(-1);
      if (path === undefined) throw foreign(name, `it has no checkpoint of run ${run}`);
      return decodeCheckpoint(entries[path]!, `${path} in ${name}`);
    }),
  );
  const files = Object.entries(entries)
    .filter(([path]) => path.startsWith('data/') && !path.endsWith('/'))
    .map(([path, content]) => [path.slice('data/'.length), content]);
  return {
    settings,
    checkpoints: checkpoints as unknown as Archive['checkpoints'],
    files: Object.fromEntries(files),
  };
}

function entriesOf(bytes: Uint8Array, name: string): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (cause) {
    throw foreign(name, 'it is no zip file, or it is damaged', cause);
  }
}

function foreign(name: string, problem: string, cause?: unknown): LmdError {
  return new LmdError('DATA_CORRUPT', `${name} cannot be loaded: ${problem}.`, {
    subject: 'file',
    value: name,
    remedy: 'Use a file that this page saved.',
    ...(cause === undefined ? {} : { cause }),
  });
}
