import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { LmdError } from '@lmd/core';
import { lockRun, removeLeftovers } from '@lmd/training/node';
import { parseConfiguration, readJsonFile } from '../configuration/load.js';
import type { Configuration } from '../configuration/schema.js';
import { UsageError } from '../errors.js';
import { completeIdentity } from '../trial/complete-identity.js';
import { configuredIdentity } from '../trial/identity.js';
import type { TrialHost } from '../trial/request.js';
import { readTrialSummary, type TrialSummary } from '../trial/summary.js';
import { writeArtifacts, writeMetrics } from './artifacts.js';
import type { Emit } from './events.js';
import { runLayout } from './layout.js';
import { requireRunFolder } from './run-folder.js';
import type { TrialResult } from './types.js';

export interface RunContext {
  readonly host: TrialHost;
  readonly emit: Emit;
  /** Aborting it stops the run after the current step, with a checkpoint and an `INTERRUPTED` error. */
  readonly signal: AbortSignal;
  /** Options that the command needs besides `--resume`, for the error. Default: none. */
  readonly resumeWith?: string;
}

export interface FinishedRun {
  readonly folder: string;
  readonly results: readonly TrialResult[];
}

/** The configuration of a run folder. Throws a `UsageError` if the folder is not a run folder. */
export function configurationOf(folder: string): Configuration {
  const path = runLayout(folder).configuration;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true || !existsSync(path)) {
    throw new UsageError('INVALID_ARGUMENT', `${folder} is not a run folder: it has no config.json.`, {
      subject: folder,
      remedy: 'Use a folder that lmd train created, such as runs/first-light-2025-01-31-001.',
    });
  }
  const raw = readJsonFile(path);
  if (isForeign(raw)) {
    throw new UsageError('INVALID_ARGUMENT', `${folder} is not a run folder: its config.json is of another library.`, {
      subject: folder,
      remedy: 'Use a run folder. lmd predict, generate, export and quantize also take exported models.',
    });
  }
  return parseConfiguration(raw, path);
}

/** Whether it is the `config.json` of an export to transformers or timm, or of a model of theirs. */
function isForeign(raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && ('model_type' in raw || 'architecture' in raw);
}

/**
 * Trains every optimizer of the run that is not done, in turn, and writes the results of the whole run. The same code
 * starts and resumes a run: what is done is read from the folder.
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
      examples: { gpt2: 'sequences', vit: 'images', module: 'examples' }[configuration.model.kind],
      steps: configuration.steps,
    });
    const summaries: TrialSummary[] = [];
    try {
      for (const index of configuration.optimizers.keys()) {
        summaries.push(await executeTrial(folder, configuration, index, context));
      }
    } catch (error) {
      // Saves the metrics so far. The error that ended the run matters more than a failure to write them.
      await writeMetrics(folder, configuration).catch(() => {});
      throw error;
    }
    requireRunFolder(folder);
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
  { host, emit, signal, resumeWith }: RunContext,
): Promise<TrialSummary> {
  const { name } = configuration.optimizers[index]!;
  const trialFolder = join(folder, name);
  const before = readTrialSummary(trialFolder);
  if (before !== undefined) {
    checkSameConfiguration(configuration, index, before);
    emit({ type: 'result', skipped: true, ...before.result });
    return before;
  }
  if (signal.aborted) throw interrupted(folder, name, undefined, resumeWith);
  const outcome = await host(
    { configuration, index, folder: trialFolder },
    (event) =>
      emit(
        event.type === 'start' ? { ...event, rule: event.optimizer, optimizer: name } : { ...event, optimizer: name },
      ),
    signal,
  );
  if (outcome.status !== 'finished')
    throw interrupted(folder, name, 'step' in outcome ? outcome.step : undefined, resumeWith);
  emit({ type: 'result', skipped: false, ...outcome.result });
  return readTrialSummary(trialFolder)!;
}

/**
 * Throws if a finished result belongs to another configuration, as after an edit of config.json: the results could not
 * be compared.
 */
function checkSameConfiguration(configuration: Configuration, index: number, summary: TrialSummary): void {
  const { steps, batchSize, seed, optimizers } = configuration;
  const now = { ...configuredIdentity(configuration, index), steps, batchSize, seed };
  if (summary.identity === undefined) return;
  const identity = completeIdentity(summary.identity);
  const names = new Set([...Object.keys(identity), ...Object.keys(now)]);
  const key = [...names].find((name) => !isDeepStrictEqual(identity[name], now[name as keyof typeof now]));
  if (key === undefined) return;
  const { name } = optimizers[index]!;
  throw new LmdError(
    'CHECKPOINT_MISMATCH',
    `${key} differs from the value with which ${name} was trained, and ${name} is finished.`,
    {
      subject: key,
      value: now[key as keyof typeof now],
      remedy: 'Restore config.json, or start a new run.',
    },
  );
}

/** The path relative to the working directory, if it is inside. */
export function shortPath(folder: string): string {
  const fromHere = relative(process.cwd(), folder);
  return fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? folder : fromHere;
}

function interrupted(folder: string, optimizer: string, step: number | undefined, options = ''): LmdError {
  const path = shortPath(folder);
  const argument = /\s/.test(path) ? JSON.stringify(path) : path;
  // If npm started the program, `lmd` may not be on the path.
  const command =
    { start: 'npm start --', lmd: 'npm run lmd -- train' }[process.env.npm_lifecycle_event ?? ''] ?? 'lmd train';
  const what =
    step === undefined
      ? `Stopped ${optimizer} before its first step.`
      : `Stopped ${optimizer} after step ${step}; the progress is saved.`;
  return new LmdError('INTERRUPTED', what, {
    subject: optimizer,
    value: step,
    remedy: `Resume with: ${command} --resume ${argument}${options && ` ${options}`}`,
  });
}
