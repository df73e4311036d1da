import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { LmdError } from '@lmd/core';
import { writeFileAtomic } from '@lmd/safetensors/node';
import { claimRunFolder, createRunFolder, lockRun, removeLeftovers } from '@lmd/training/node';
import { parseConfiguration, readJsonFile } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import type { TrialHost } from '../trial/request.js';
import { readTrialSummary, type TrialSummary } from '../trial/summary.js';
import { writeArtifacts, writeMetrics } from './artifacts.js';
import type { Emit } from './events.js';
import { runLayout } from './layout.js';
import type { TrialResult } from './types.js';

export interface RunContext {
  readonly host: TrialHost;
  readonly emit: Emit;
  /** Aborting it ends the run after the step, with a checkpoint and an `INTERRUPTED` error. */
  readonly signal: AbortSignal;
}

export interface FinishedRun {
  readonly folder: string;
  readonly results: readonly TrialResult[];
}

/**
 * Makes the folder of a new run and writes its configuration.
 *
 * @param out the run folder itself, which must be new or empty; by default `runs/<name>-<date>-<number>`.
 * @throws LmdError `RUN_EXISTS`; `FILE_SYSTEM`.
 */
export async function prepareRun(configuration: Configuration, out: string | undefined): Promise<string> {
  let folder: string;
  if (out === undefined) {
    const date = new Date().toISOString().slice(0, 10);
    folder = await createRunFolder(resolve('runs'), `${configuration.name}-${date}`);
  } else {
    folder = resolve(out);
    await claimRunFolder(folder);
  }
  await writeFileAtomic(runLayout(folder).configuration, `${JSON.stringify(configuration, null, 2)}\n`);
  return folder;
}

/** The configuration of a run folder. Throws a `UsageError` where it is none. */
export function configurationOf(folder: string): Configuration {
  const path = runLayout(folder).configuration;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true || !existsSync(path)) {
    throw new UsageError('INVALID_ARGUMENT', `${folder} is no run folder: it has no config.json.`, {
      subject: folder,
      remedy: 'Name a folder that lmd train made, such as runs/first-light-2025-01-31-001.',
    });
  }
  return parseConfiguration(readJsonFile(path), path);
}

/**
 * Trains every rule of the run that is not done yet, in turn, and writes what belongs to the run as a whole. The same code
 * begins a run and continues one: what is done is read from the folder.
 *
 * @throws LmdError `INTERRUPTED`; `RUN_LOCKED`; what training throws.
 */
export async function executeRun(folder: string, resumed: boolean, context: RunContext): Promise<FinishedRun> {
  const configuration = configurationOf(folder);
  const lock = await lockRun(folder);
  try {
    await removeLeftovers(folder);
    context.emit({
      type: 'run',
      name: configuration.name,
      runFolder: folder,
      resumed,
      optimizers: configuration.optimizers.map(({ name }) => name),
      format: configuration.precision,
      examples: configuration.model.kind === 'gpt2' ? 'sequences' : 'images',
      steps: configuration.steps,
    });
    const summaries: TrialSummary[] = [];
    try {
      for (const index of configuration.optimizers.keys()) {
        summaries.push(await executeTrial(folder, configuration, index, context));
      }
    } catch (error) {
      // What the run has measured so far. The reason why it ended tells more than a failure to write this.
      await writeMetrics(folder, configuration).catch(() => {});
      throw error;
    }
    const results = await writeArtifacts(folder, configuration, summaries);
    context.emit({ type: 'summary', runFolder: folder, results });
    return { folder, results };
  } finally {
    await lock.release();
  }
}

async function executeTrial(
  folder: string,
  configuration: Configuration,
  index: number,
  { host, emit, signal }: RunContext,
): Promise<TrialSummary> {
  const { name } = configuration.optimizers[index]!;
  const trialFolder = join(folder, name);
  const before = readTrialSummary(trialFolder);
  if (before !== undefined) {
    emit({ type: 'result', skipped: true, ...before.result });
    return before;
  }
  if (signal.aborted) throw interrupted(folder, name, 0);
  const outcome = await host(
    { configuration, index, folder: trialFolder },
    (event) =>
      emit(
        event.type === 'start' ? { ...event, rule: event.optimizer, optimizer: name } : { ...event, optimizer: name },
      ),
    signal,
  );
  if (outcome.status === 'interrupted') throw interrupted(folder, name, outcome.step);
  emit({ type: 'result', skipped: false, ...outcome.result });
  return readTrialSummary(trialFolder)!;
}

/** As a person would type it here. */
export function shortPath(folder: string): string {
  const fromHere = relative(process.cwd(), folder);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? folder : fromHere;
}

function interrupted(folder: string, optimizer: string, step: number): LmdError {
  const path = shortPath(folder);
  const argument = /\s/.test(path) ? JSON.stringify(path) : path;
  // Where npm has run the program, `lmd` may not be on the path.
  const command = process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'lmd train';
  return new LmdError('INTERRUPTED', `Stopped ${optimizer} after step ${step}; everything so far is saved.`, {
    subject: optimizer,
    value: step,
    remedy: `Continue with: ${command} --resume ${argument}`,
  });
}
