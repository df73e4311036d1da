import { basename, extname } from 'node:path';
import { isLmdError } from '@lmd/core';
import { interruptSignal, type TerminalOutput, terminalOutput } from '@lmd/training/node';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exitCodes, StudyError } from './errors.js';
import { readLedger } from './ledger/ledger.js';
import { writeReport } from './report/write-report.js';
import { describePlan } from './runner/dry-run.js';
import { Progress } from './runner/progress.js';
import { ledgerPath, resultsOf, runStudy } from './runner/run-study.js';
import { loadStudy } from './study/load.js';
import { type PartName, partNames } from './study/schema.js';
import type { TrialData } from './trial/config.js';
import { type DataPlace, placeOf } from './trial/data.js';

interface Options {
  readonly out?: string;
  readonly data?: string;
  readonly only?: PartName;
  readonly parallel: number;
  readonly threads: number;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly report?: boolean;
}

interface Terminal {
  readonly out: TerminalOutput;
  readonly error: TerminalOutput;
}

/** Processes or threads; more than any machine has. */
const most = 1024;

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new InvalidArgumentError(`Use a whole number from 1 to ${most}.`);
}

async function study(path: string, options: Options, program: string, { out: output, error }: Terminal): Promise<void> {
  const loaded = loadStudy(path);
  const out = options.out ?? `runs/${basename(path, extname(path))}`;
  const { records } = await readLedger(ledgerPath(out));
  const recorded = records[0]?.config.data;
  const { only, parallel, threads } = options;
  if (options.dryRun === true || options.report === true) {
    // What has been found needs no data to be told: a ledger knows what it is about.
    const data = recorded ?? placeOf(loaded, options.data).data;
    if (options.dryRun === true) {
      const verbose = options.verbose === true;
      const plan = describePlan({ study: loaded, data, results: resultsOf(records), only, parallel, verbose });
      output.write(`${plan}\n`);
    } else {
      output.write(`${(await writeReport(loaded, data, out)).join('\n')}\n`);
    }
    return;
  }
  const place = placeOf(loaded, options.data);
  checkSameData(recorded, place, out);
  const progress = new Progress((text) => void error.write(text), error.isTTY === true, error.columns);
  if (place.notice !== undefined) progress.say(place.notice);
  const { signal } = interruptSignal();
  const ran = await runStudy({ study: loaded, place, out, parallel, threads, only, program, signal, progress });
  progress.say(`${ran} trials run.`);
  output.write(`${(await writeReport(loaded, place.data, out)).join('\n')}\n`);
}

/** Refuses to go on with a ledger of other data: nothing of the two could be compared. */
function checkSameData(recorded: TrialData | undefined, { data, notice }: DataPlace, out: string): void {
  if (recorded === undefined || recorded.kind === data.kind) return;
  throw new StudyError(
    'INVALID_ARGUMENT',
    `The ledger in ${out} holds trials on ${recorded.kind}, and here is only ${data.kind}.`,
    {
      subject: 'data',
      value: data.kind,
      remedy: `${notice === undefined ? '' : `${notice} `}Or begin another ledger: --out <folder>.`,
    },
  );
}

/**
 * Runs one command line and gives its exit code.
 *
 * @param program the path of `bin.js`, for the processes of trials.
 */
export async function main(words: readonly string[], program: string): Promise<number> {
  const terminal = { out: terminalOutput(process.stdout), error: terminalOutput(process.stderr) };
  const command = new Command('lmd-experiments')
    .description('Runs a study trial by trial into a ledger, resumably, and writes its report.')
    .argument('<study>', 'a JSON file, such as studies/fashion-mnist.json')
    .option('--out <folder>', 'of the ledger and the report (default: runs/<name of the study>)')
    .option('--data <folder>', "with the data's files, in place of the study's own")
    .addOption(new Option('--only <part>', 'run this part alone').choices(partNames))
    .option('--parallel <trials>', 'so many at one time', positive, 1)
    .option('--threads <threads>', 'of each trial; side by side, trials use processors better', positive, 1)
    .option('--dry-run', 'print what would run and how long it would take')
    .option('--verbose', 'with --dry-run: every trial')
    .option('--report', 'write the report of what the ledger holds, and run nothing')
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.error.write(text),
    })
    .exitOverride()
    .action((path: string, options: Options) => study(path, options, program, terminal));
  try {
    await command.parseAsync(words as string[], { from: 'user' });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    const message = error instanceof Error ? error.message : String(error);
    const unexpected = !(error instanceof Error && 'code' in error);
    terminal.error.write(`${unexpected ? `Unexpected failure: ${(error as Error)?.stack ?? message}` : message}\n`);
    if (error instanceof StudyError) return exitCodes.usage;
    return isLmdError(error, 'INTERRUPTED') ? exitCodes.interrupted : exitCodes.failure;
  }
}
