import { precisionNames } from '@lmd/models';
import { Command } from 'commander';
import { version } from '../package.json';
import { doctorCommand } from './commands/doctor.js';
import { type EvaluateCommandOptions, evaluateCommand } from './commands/evaluate.js';
import { type TrainCommandOptions, trainCommand } from './commands/train.js';
import type { Terminal } from './output/terminal.js';
import { presetDescriptions } from './presets/index.js';

const presetHelp = Object.entries(presetDescriptions)
  .map(([name, description]) => `  ${name.padEnd(14)}${description}`)
  .join('\n');

const examples = `
Examples:
  lmd train first-light                                  train the small ViT on MNIST with LMD and AdamW
  lmd train smoke --set steps=50 --set optimizers.lmd.noise=0.1
  lmd train my-run.json --json > events.jsonl            a configuration of your own, events as JSON lines
  lmd train --resume runs/first-light-2025-01-31-001     continue an interrupted run, to the same bits
  lmd evaluate runs/first-light-2025-01-31-001 --format mxfp4_e2m1
  lmd doctor                                             which backends work here

Presets:
${presetHelp}

Exit codes: 0 success, 1 failure, 2 wrong command or configuration, 130 stopped by Ctrl-C.
Set LMD_DEBUG=1 for stack traces, NO_COLOR=1 for no colours.`;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** With `--set a=1 first-light` the name stands among the assignments: it is the one that assigns nothing. */
function separate(source: string | undefined, options: TrainCommandOptions): [string | undefined, TrainCommandOptions] {
  const words = options.set ?? [];
  const stray = source === undefined ? words.find((word) => !word.includes('=')) : undefined;
  return stray === undefined ? [source, options] : [stray, { ...options, set: words.filter((word) => word !== stray) }];
}

/**
 * The `lmd` command line.
 *
 * @param bin the path of the program itself, for child processes.
 */
export function createProgram(terminal: Terminal, bin: string): Command {
  const program = new Command('lmd')
    .description('Train networks with Log-Normal Multiplicative Dynamics under low-precision arithmetic.')
    .version(version)
    .addHelpText('after', examples)
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.error.write(text),
    })
    .showHelpAfterError('Run lmd --help for the commands and examples.')
    .exitOverride();

  program
    .command('train')
    .description('train from a configuration or a preset, or continue a run')
    .argument('[configuration]', 'a JSON file, or the name of a preset')
    .option('--set <key=value...>', 'change a key of the configuration; lists by index or name', collect)
    .option('--only <optimizer...>', 'train these optimizers of the configuration alone', collect)
    .option('--resume <run>', 'continue the run in this folder')
    .option('--out <folder>', 'the run folder, new or empty (default: runs/<name>-<date>-<number>)')
    .option('--json', 'print events as JSON lines, the last one the summary')
    .addHelpText('after', examples)
    .action((source: string | undefined, options: TrainCommandOptions) =>
      trainCommand(...separate(source, options), terminal, bin),
    );

  program
    .command('evaluate')
    .description("test a run's newest weights, under any format")
    .argument('<run>', 'a run folder')
    .option('--format <name>', `format of the forward pass: ${precisionNames.join(', ')} (default: the run's)`)
    .option('--weights <kind>', "mean, median or sample of the posterior (default: the run's)")
    .option('--optimizer <name>', 'only this one (default: all)')
    .option('--draws <count>', 'with --weights sample: average the results of so many draws', '1')
    .option('--backend <name>', "what computes (default: the run's)")
    .option('--json', 'print the results as one JSON line')
    .action((run: string, options: EvaluateCommandOptions) => evaluateCommand(run, options, terminal));

  program
    .command('doctor')
    .description('which backends work here, why the others do not, and what to install')
    .option('--json', 'print the findings as one JSON line')
    .action((options: { json?: boolean }) => doctorCommand(options, terminal));

  return program;
}
