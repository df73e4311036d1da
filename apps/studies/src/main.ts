import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes, UsageError } from '@lmd/cli';
import {
  Progress,
  packLedger,
  readLedger,
  resultsOf,
  showDuration,
  trialConfiguration,
  withTrialRunner,
} from '@lmd/cli/experiment';
import { isLmdError, type LmdError } from '@lmd/core';
import { interruptSignal, lockRun, type TerminalOutput, terminalOutput } from '@lmd/training/node';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { planStudy } from './plan/plan.js';
import type { Trial } from './plan/trial.js';
import { writeReport } from './report/write-report.js';
import { describePlan } from './runner/dry-run.js';
import { repeatTrial } from './runner/repeat.js';
import { runStudy } from './runner/run-study.js';
import { loadStudy } from './study/load.js';
import { type PartName, partNames, type Study } from './study/schema.js';

interface Options {
  readonly out?: string;
  readonly data?: string;
  readonly only?: PartName;
  readonly parallel: number;
  readonly threads: number;
  readonly on?: string;
  readonly priority: 'high' | 'normal' | 'low';
  readonly upload: boolean;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly report?: boolean;
  readonly pack?: boolean;
  readonly repeat?: string;
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Use a positive integer.');
}

/** The program that runs the trials. */
function lmdProgram(): string {
  const manifest = createRequire(import.meta.url).resolve('@lmd/cli/package.json');
  const program = join(dirname(manifest), 'dist', 'bin.js');
  if (existsSync(program)) return program;
  throw new UsageError('ENGINE_MISSING', `The lmd command is not built: ${program} is missing.`, {
    subject: '@lmd/cli',
    remedy: 'Run npm run setup.',
  });
}

/**
 * Checks a trial of each model, and of each optimizer that trains with several workers, like `lmd train`, including
 * sizes and data, so that a dry run finds the same errors.
 *
 * @throws UsageError, naming all optimizers that their exchange does not suit
 */
async function checkModels(study: Study, data: string | undefined, origin: string): Promise<void> {
  const { trials } = planStudy({ study, results: new Map() });
  const keyOf = ({ optimizer, configuration: { model, distributed } }: Trial) =>
    JSON.stringify([model, ...(distributed === undefined ? [] : [optimizer])]);
  const distinct = new Map(trials.map((trial) => [keyOf(trial), trial]));
  const unfit = new Map<string, LmdError>();
  for (const trial of distinct.values()) {
    await trialConfiguration(trial, data).catch((error) => {
      if (!isLmdError(error, 'INVALID_ARGUMENT') || error.subject !== 'distributed.exchange') throw error;
      unfit.set(trial.optimizer, error);
    });
  }
  const [first] = unfit.values();
  if (first === undefined) return;
  const names = [...unfit].map(([name, { value }]) => `${name} (${value})`).join(', ');
  throw new UsageError('INVALID_ARGUMENT', `${origin}: optimizers that cannot train with their exchange: ${names}.`, {
    subject: 'distributed.exchange',
    value: [...unfit.keys()],
    remedy:
      'Votes need lmd, lion or signum without clipNorm; weights need any but adamw with weightFormat = bf16. Use ' +
      'exchange = averages, or set distributed for the optimizers that can, instead of configuration.distributed.',
    cause: first,
  });
}

/** Where the options have trials run, with their working folders in `out`. */
function placeOf({ on, priority, upload, data, threads }: Options, out: string, parallel: number, progress: Progress) {
  return {
    ...{ on, priority, upload, out, data, parallel, threads, program: lmdProgram() },
    checkout: dirname(fileURLToPath(import.meta.url)),
    say: (text: string) => progress.say(text),
  };
}

const progressOn = (error: TerminalOutput) =>
  new Progress((text) => void error.write(text), error.isTTY === true, error.columns);

interface Terminal {
  readonly out: TerminalOutput;
  readonly error: TerminalOutput;
}

async function study(path: string, options: Options, { out: output, error }: Terminal): Promise<void> {
  const loaded = loadStudy(path);
  const out = options.out ?? `runs/${basename(path, extname(path))}`;
  const { only, parallel, data } = options;
  if (options.pack === true) {
    const lock = await lockRun(out);
    try {
      await packLedger(out);
    } finally {
      await lock.release();
    }
    return;
  }
  if (options.report === true) {
    output.write(`${(await writeReport(loaded, out)).join('\n')}\n`);
    return;
  }
  if (loaded.frozen === undefined) await checkModels(loaded, data, path);
  if (options.dryRun === true) {
    const { records } = await readLedger(out);
    const verbose = options.verbose === true;
    output.write(`${describePlan({ study: loaded, results: resultsOf(records), only, parallel, verbose })}\n`);
    return;
  }
  if (options.repeat !== undefined) {
    output.write(`${await repeat(loaded, out, options.repeat, options, error)}\n`);
    return;
  }
  const progress = progressOn(error);
  const { signal } = interruptSignal();
  const place = placeOf(options, out, parallel, progress);
  // The folder has a file before the ledger: the name of the study in the queue.
  await mkdir(out, { recursive: true });
  const ran = await withTrialRunner(place, (runner) =>
    runStudy({ study: loaded, out, only, runner, signal, progress }),
  );
  progress.say(`${ran} trials run.`);
  output.write(`${(await writeReport(loaded, out)).join('\n')}\n`);
}

/** Runs a recorded trial again in a temporary folder. The ledger is only read. */
async function repeat(study: Study, out: string, label: string, options: Options, error: TerminalOutput) {
  const progress = progressOn(error);
  const { signal } = interruptSignal();
  const began = performance.now();
  const secondsPast = () => (performance.now() - began) / 1000;
  const { records } = await readLedger(out);
  const folder = await mkdtemp(join(tmpdir(), 'lmd-repeat-'));
  const onStep = (trial: Trial, step: number) => {
    const secondsLeft = step === 0 ? undefined : (secondsPast() / step) * (trial.steps - step);
    progress.running({ done: 0, total: 1, secondsLeft, running: [{ trial, step }] });
  };
  try {
    const record = await withTrialRunner(placeOf(options, folder, 1, progress), (runner) =>
      repeatTrial({ study, records, label, runner, signal, onStep }),
    );
    progress.say(`[1/1] ${label}: ${showDuration(secondsPast())}`);
    return `${label}: every result equals the ledger's, of ${record.date}, commit ${record.commit}.`;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs one command line and returns its exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const terminal = { out: terminalOutput(process.stdout), error: terminalOutput(process.stderr) };
  const command = new Command('lmd-studies')
    .description('Runs the trials of a study, which can be resumed, and writes its report.')
    .argument('<study>', 'a JSON file, such as studies/fashion-mnist.json')
    .option('--out <folder>', 'folder of the ledger and the report (default: runs/<name of the file>)')
    .option('--data <path>', 'folder or file of the data, overrides that of the study')
    .addOption(new Option('--only <part>', 'run only this part').choices(partNames))
    .option('--parallel <trials>', 'number of trials to run in parallel', positive, 1)
    .option('--threads <threads>', 'threads per trial; parallel trials use the processors better', positive, 1)
    .option('--on <server>', 'run the trials on the workers of a NATS server (lmd worker): nats://host:4222')
    .addOption(
      new Option('--priority <name>', 'with --on: order among the trials of several studies')
        .choices(['high', 'normal', 'low'])
        .default('normal'),
    )
    .option('--no-upload', 'with --on: do not copy the data to the server; workers need --data')
    .option('--dry-run', 'print the planned trials and the estimated time, without running them')
    .option('--verbose', 'with --dry-run: print every trial')
    .option('--report', 'write the report of the finished trials, without running trials')
    .option('--repeat <label>', 'run a finished trial again, and compare its results with the ledger to the bit')
    .option('--pack', 'move the records to ledger.jsonl.gz, for git, without running trials')
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: (text) => terminal.error.write(text) })
    .exitOverride()
    .action((path: string, options: Options) => study(path, options, terminal));
  try {
    await command.parseAsync(words as string[], { from: 'user' });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    const message = error instanceof Error ? error.message : String(error);
    const unexpected = !(error instanceof Error && 'code' in error);
    terminal.error.write(`${unexpected ? `Unexpected failure: ${(error as Error)?.stack ?? message}` : message}\n`);
    if (error instanceof UsageError) return exitCodes.usage;
    return isLmdError(error, 'INTERRUPTED') ? exitCodes.interrupted : exitCodes.failure;
  }
}
