import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { claimRunFolder, createRunFolder, removeEventFiles } from '@lmd/training/node';
import type { Configuration } from '../configuration/schema.js';
import { runLayout } from './layout.js';

/** A run folder that this process created. */
export interface NewRun {
  readonly folder: string;
  /** Removes the files of a run that has made no step, and nothing else. */
  discard(): Promise<void>;
}

/**
 * Creates the folder of a new run and writes its configuration.
 *
 * @param out the run folder itself, which must be new or empty; by default `runs/<name>-<date>-<number>`.
 * @throws LmdError `RUN_EXISTS`; `FILE_SYSTEM`.
 */
export async function prepareRun(configuration: Configuration, out: string | undefined): Promise<NewRun> {
  const parent = resolve('runs');
  const before = [parent, ...(out === undefined ? [] : [resolve(out)])].filter((path) => existsSync(path));
  let folder: string;
  if (out === undefined) {
    const date = new Date().toISOString().slice(0, 10);
    folder = await createRunFolder(parent, `${configuration.name}-${date}`);
  } else {
    folder = resolve(out);
    await claimRunFolder(folder);
  }
  await saveConfiguration(folder, configuration);
  const made = [folder, ...(out === undefined ? [parent] : [])].filter((path) => !before.includes(path));
  return { folder, discard: () => discard(folder, configuration, made) };
}

/** Writes the configuration of a run atomically. */
export async function saveConfiguration(folder: string, configuration: Configuration): Promise<void> {
  await writeFileAtomic(runLayout(folder).configuration, `${JSON.stringify(configuration, null, 2)}\n`);
}

async function discard(folder: string, configuration: Configuration, made: readonly string[]): Promise<void> {
  const layout = runLayout(folder);
  // A folder with other files is kept: `rmdir` fails.
  const removeIfEmpty = (path: string) => rmdir(path).catch(() => {});
  for (const { name } of configuration.optimizers) {
    const trial = layout.trial(name);
    await rm(trial.metrics, { force: true });
    // Of the first step, which failed, there is a checkpoint of the initial weights.
    for (const file of ['step-00000000.safetensors', 'manifest.json']) {
      await rm(join(trial.checkpoints, file), { force: true });
    }
    await rm(trial.metricsCsv, { force: true });
    await removeEventFiles(trial.folder);
    // What threads that train together have of each other, which is of no use without them.
    await rm(trial.job, { force: true });
    await rm(trial.workers, { recursive: true, force: true });
    await removeIfEmpty(trial.checkpoints);
    await removeIfEmpty(trial.folder);
  }
  await rm(layout.metrics, { force: true });
  await rm(layout.metricsCsv, { force: true });
  await rm(layout.configuration, { force: true });
  for (const path of made) await removeIfEmpty(path);
}

/**
 * Checks that a run folder still exists, so that a removed run folder is not recreated without its configuration.
 *
 * @throws LmdError `FILE_SYSTEM`.
 */
export function requireRunFolder(folder: string): void {
  const { configuration } = runLayout(folder);
  if (existsSync(configuration)) return;
  throw new LmdError('FILE_SYSTEM', `${configuration} is missing: the run folder was removed during the run.`, {
    subject: folder,
    remedy: 'Start the run again, and do not remove its folder while it runs.',
  });
}

/** The run folder that contains the folder of one optimizer. */
export const runFolderOf = (trialFolder: string): string => dirname(trialFolder);
