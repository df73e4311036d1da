import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isLmdError } from '@lmd/core';
import { interruptSignal, lockRun } from '@lmd/training/node';
import { isAddress, withoutCredentials } from '../cluster/connect.js';
import { withServerHost } from '../cluster/lead-server.js';
import { checkWorkersOfRun, refuseLoneWorld, requireWorkers, withWorkers } from '../cluster/workers-option.js';
import { checkConsistency } from '../configuration/consistency.js';
import { loadConfiguration, parseConfiguration, withOverrides } from '../configuration/load.js';
import { resolveConfiguration } from '../configuration/resolve.js';
import { checkResumable } from '../configuration/resumable.js';
import type { Configuration } from '../configuration/schema.js';
import { selectOptimizers } from '../configuration/select-optimizers.js';
import { geometryOf, locateData } from '../data/index.js';
import { UsageError } from '../errors.js';
import { prepareModules } from '../modules/prepare.js';
import { checkModulesForResume } from '../modules/uses.js';
import { compactJson } from '../output/compact-json.js';
import { writeNotes } from '../output/notes.js';
import { humanRenderer, jsonRenderer, type Renderer } from '../output/renderer.js';
import { resultColumns } from '../output/results.js';
import { renderTable } from '../output/table.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { wrapText } from '../output/wrap.js';
import { configurationFrom, configurationOfPreset } from '../own-data/configuration-from.js';
import type { Proposal } from '../own-data/propose.js';
import { presets } from '../presets/index.js';
import { runLayout } from '../run/layout.js';
import { configurationOf, executeRun, type FinishedRun, shortPath } from '../run/run.js';
import { type NewRun, prepareRun, saveConfiguration } from '../run/run-folder.js';
import { readStored } from '../run/stored.js';
import { runSummarySchema, type TrialResult } from '../run/types.js';
import { inChildProcess, inThisProcess } from '../trial/hosts.js';
import type { TrialHost } from '../trial/request.js';

export interface TrainCommandOptions {
  readonly set?: readonly string[];
  readonly only?: readonly string[];
  readonly preset?: string;
  readonly resume?: string;
  readonly workers?: string;
  readonly world?: number;
  readonly threads?: number;
  readonly out?: string;
  readonly json?: boolean;
}

function usage(message: string, remedy: string, subject: string): UsageError {
  return new UsageError('INVALID_ARGUMENT', message, { subject, remedy });
}

/** The results of a finished run from its summary; undefined if the run is not finished. */
function finishedRun(folder: string): readonly TrialResult[] | undefined {
  const { summary } = runLayout(folder);
  if (!existsSync(summary)) return undefined;
  return readStored(summary, runSummarySchema, 'Delete it and resume the run, which writes it again.').results;
}

/** `lmd train`: starts a run from a configuration, a preset or data, or resumes one. */
export async function trainCommand(
  given: string | undefined,
  { threads, set = [], ...others }: TrainCommandOptions,
  terminal: Terminal,
  program: string,
): Promise<void> {
  const options = { ...others, set: threads === undefined ? set : [...set, `threads=${threads}`] };
  if (options.json) keepStandardOutputClean();
  const renderer = options.json ? jsonRenderer(terminal.out) : humanRenderer(terminal.out, terminal.colours);
  const source = given ?? options.preset;
  if (options.resume !== undefined) return resume(source, options.resume, options, terminal, renderer, program);
  refuseLoneWorld(options);
  if (source === undefined) {
    const names = Object.keys(presets).join(', ');
    throw usage(
      'lmd train: the configuration is missing.',
      `Use a JSON file, a preset (${names}), a folder of images or text, or --resume <run folder>.`,
      'configuration',
    );
  }
  if (options.preset === undefined) refuseAmbiguous(source);
  const { configuration: complete, proposal } =
    given === undefined || options.preset === undefined
      ? await configurationFrom(source, options.set)
      : { configuration: configurationOfPreset(given, options.preset as keyof typeof presets, options.set) };
  const selected = withWorkers(selectOptimizers(complete, options.only), options);
  const notes: string[] = [];
  let configuration: Configuration;
  let run: NewRun;
  try {
    configuration = await resolveConfiguration(selected, source, (text) => notes.push(text));
    run = await prepareRun(configuration, options.out);
    if (proposal !== undefined && !options.json) showProposal(proposal, run.folder, terminal);
  } finally {
    // After what was made for the data, which would push them off the screen.
    writeNotes({ notes }, terminal);
  }
  let hasStarted = false;
  const watching: Renderer = {
    ...renderer,
    event(event) {
      hasStarted ||= event.type === 'step';
      renderer.event(event);
    },
  };
  try {
    await execute(run.folder, configuration, false, options, terminal, watching, program);
  } catch (error) {
    // A run that failed before its first step has nothing to resume. An interrupted run can be resumed.
    if (!hasStarted && !isLmdError(error, 'INTERRUPTED')) await run.discard();
    throw error;
  }
}

/** A preset is found by its name wherever the command runs, so a file of that name would be overlooked. */
function refuseAmbiguous(source: string): void {
  if (!Object.hasOwn(presets, source) || !existsSync(source) || existsSync(runLayout(source).configuration)) return;
  throw usage(
    `${source} is a preset, and there is a file or folder of that name.`,
    `Use --preset ${source}, or ./${source}.`,
    'configuration',
  );
}

/** Shows the configuration that was made for data, and where it is. */
function showProposal({ configuration, found }: Proposal, folder: string, { out, colours }: Terminal): void {
  const path = shortPath(runLayout(folder).configuration);
  out.write(`${colours.bold('Configuration')} for ${found}:\n${compactJson(configuration, out.columns ?? 100)}\n`);
  out.write(
    `${wrapText(`It is saved with every default in ${path}. To change it, copy and edit that file.`, out.columns)}\n\n`,
  );
}

async function resume(
  source: string | undefined,
  target: string,
  options: TrainCommandOptions,
  terminal: Terminal,
  renderer: Renderer,
  program: string,
): Promise<void> {
  const [first] = [options.out && '--out', options.only && '--only'].filter((argument) => argument !== undefined);
  if (first !== undefined) {
    throw usage(
      `--resume and ${first} cannot be combined.`,
      `A resumed run keeps its folder and its optimizers: omit ${first}.`,
      first,
    );
  }
  const folder = resolve(target);
  const before = configurationOf(folder);
  refusePlayground(folder, before);
  checkWorkersOfRun(before, options);
  refuseLoneWorld(options);
  const configuration = changed(before, options.set ?? [], folder);
  if (source !== undefined && loadConfiguration(source).name !== configuration.name) {
    throw usage(`${folder} is a run of ${configuration.name}, not of ${source}.`, 'Omit the configuration.', source);
  }
  const results = finishedRun(folder);
  if (configuration !== before) {
    if (results !== undefined) {
      throw usage(
        `--set changes nothing in ${folder}: the run is finished.`,
        'Evaluate it with lmd evaluate, or start a new run from it with --set model.weights=<run>.',
        '--set',
      );
    }
    await prepareModules(configuration, geometryOf);
    checkConsistency(configuration, folder);
    await writeLocked(folder, configuration);
  }
  if (results === undefined) {
    writeNotes({ notes: checkModulesForResume(configuration) }, terminal);
    return execute(folder, configuration, true, options, terminal, renderer, program);
  }
  if (options.json) renderer.event({ type: 'summary', runFolder: folder, results });
  else {
    terminal.out.write('This run is finished.\n');
    conclude({ folder, results }, terminal);
  }
}

/**
 * A run folder that the playground saved has checkpoints of another training loop, which draws its batches from a part
 * of the data and augments them by itself. Training would end with a difference of the identities that helps nobody.
 */
function refusePlayground(folder: string, { optimizers }: Configuration): void {
  if (!existsSync(join(folder, 'playground.json'))) return;
  const path = shortPath(folder);
  const weights = join(path, optimizers[0]!.name, 'model.safetensors');
  throw usage(
    `--resume: ${path} was saved by the playground, which trains on other batches than lmd train.`,
    'Resume it in the playground with Load, or start a new run from its weights: ' +
      `lmd train ${join(path, 'config.json')} --set model.weights=${weights} steps=1000 --out <folder>`,
    '--resume',
  );
}

/** The configuration of a run with overrides, limited to the keys that may change on resume. */
function changed(before: Configuration, assignments: readonly string[], folder: string): Configuration {
  if (assignments.length === 0) return before;
  const after = parseConfiguration(withOverrides(before, assignments, folder), folder);
  const configuration = { ...after, data: locateData(after.data) };
  checkResumable(before, configuration);
  return configuration;
}

/** Writes under the lock of the run, since another process may be running it. */
async function writeLocked(folder: string, configuration: Configuration): Promise<void> {
  const lock = await lockRun(folder);
  try {
    await saveConfiguration(folder, configuration);
  } finally {
    await lock.release();
  }
}

async function execute(
  folder: string,
  configuration: Configuration,
  resumed: boolean,
  options: TrainCommandOptions,
  terminal: Terminal,
  renderer: Renderer,
  program: string,
): Promise<void> {
  const interrupt = interruptSignal(() => {
    renderer.clear();
    terminal.error.write('Finishing the step and saving; press Ctrl-C again to exit at once.\n');
  });
  try {
    const { workers } = options;
    const server = workers !== undefined && isAddress(workers) ? workers : undefined;
    const finish = async (host: TrialHost) => {
      const run = await executeRun(folder, resumed, {
        ...{ host, emit: renderer.event, signal: interrupt.signal },
        ...(server === undefined ? {} : { resumeWith: `--workers ${withoutCredentials(server)}` }),
      });
      if (!options.json) conclude(run, terminal);
    };
    if (server !== undefined) {
      requireWorkers(configuration);
      const say = (text: string) => void terminal.error.write(`${text}\n`);
      await withServerHost({ server, configuration, program, say }, finish);
    } else {
      // Several optimizers train in separate processes, so that the peak memory of each is measured separately.
      await finish(configuration.optimizers.length > 1 ? inChildProcess(program) : inThisProcess);
    }
  } finally {
    renderer.clear();
    interrupt.dispose();
  }
}

function conclude({ folder, results }: FinishedRun, { out, colours }: Terminal): void {
  out.write(
    `\n${renderTable(resultColumns(results), results, { styleTitle: colours.bold, columns: out.columns })}\n\n`,
  );
  out.write(`Run folder  ${shortPath(folder)}\n`);
  out.write(`Report      ${shortPath(runLayout(folder).report)}\n`);
}
