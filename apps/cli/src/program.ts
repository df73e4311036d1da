import { precisionNames } from '@lmd/models';
import { formats, roundings, scaleModes } from '@lmd/mx-formats';
import { Command } from 'commander';
import { version } from '../package.json';
import { type BenchCommandOptions, benchCommand } from './commands/bench.js';
import { choose } from './commands/choose.js';
import { type PrepareCommandOptions, prepareCommand } from './commands/data.js';
import { doctorCommand } from './commands/doctor.js';
import { type EvaluateCommandOptions, evaluateCommand } from './commands/evaluate.js';
import { type ExportCommandOptions, exportCommand, exportLayouts } from './commands/export.js';
import { type GenerateCommandOptions, generateCommand } from './commands/generate.js';
import { type InspectCommandOptions, inspectCommand } from './commands/inspect.js';
import { type QuantizeCommandOptions, quantizeCommand } from './commands/quantize.js';
import { type TrainCommandOptions, trainCommand } from './commands/train.js';
import { backendNames } from './engine/names.js';
import { UsageError } from './errors.js';
import type { Terminal } from './output/terminal.js';
import { presetDescriptions } from './presets/index.js';

const presetHelp = Object.entries(presetDescriptions)
  .map(([name, description]) => `  ${name.padEnd(14)}${description}`)
  .join('\n');

const examples: readonly (readonly [string, string])[] = [
  ['lmd train first-light', 'train the small ViT on MNIST with LMD and AdamW'],
  ['lmd train smoke --set steps=50 --set optimizers.lmd.noise=0.1', 'a preset with changes'],
  ['lmd train my-run.json --json > events.jsonl', 'a configuration of your own, events as JSON lines'],
  ['lmd train --resume runs/first-light-2025-01-31-001', 'continue an interrupted run, to the same bits'],
  ['lmd evaluate runs/first-light-2025-01-31-001 --format all', 'its weights, deployed in every format'],
  ['lmd evaluate my-run --model my-run/model.mxfp6_e3m2.safetensors', 'a packed model on the data of its run'],
  ['lmd data prepare sotu --out data/sotu', 'the State of the Union speeches as tokens of GPT-2'],
  ['lmd train speeches', 'train a small GPT-2 on them'],
  ['lmd generate runs/speeches-2025-01-31-001 --prompt "My fellow citizens"', 'let it speak'],
  ['lmd inspect runs/first-light-2025-01-31-001', 'how far it is, and what it achieved'],
  ['lmd inspect model.safetensors --html weights.html', 'statistics and plots of every tensor'],
  ['lmd quantize model.safetensors --format mxfp6_e3m2', 'a packed model, five times smaller'],
  ['lmd export runs/speeches-2025-01-31-001 --out gpt2-speeches', 'a folder that transformers loads'],
  ['lmd export tuned --layout peft --out tuned-adapters', 'the adapters of a run, which PEFT loads'],
  ['lmd bench --backend cpu webgpu', 'how fast it is here'],
  ['lmd doctor', 'which backends work here'],
];

/** Examples of one command, or of all. */
function examplesOf(command?: string): string {
  const chosen = examples.filter(([line]) => command === undefined || line.startsWith(`lmd ${command}`));
  const width = Math.max(...chosen.map(([line]) => line.length));
  return `\nExamples:\n${chosen.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`).join('\n')}`;
}

const presetList = `\nPresets:\n${presetHelp}`;

const conventions = `
Exit codes: 0 success, 1 failure, 2 wrong command or configuration, 130 stopped by Ctrl-C.
Set LMD_DEBUG=1 for stack traces, NO_COLOR=1 for no colours.`;

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `--preset smoke` is `smoke`: a preset by name, and no other configuration beside it. */
function namedPreset(source: string | undefined, preset: string): string {
  if (source !== undefined) {
    throw new UsageError('INVALID_ARGUMENT', `--preset ${preset} and ${source} do not go together.`, {
      subject: '--preset',
      value: preset,
      remedy: 'Give one of them.',
    });
  }
  return choose('--preset', preset, Object.keys(presetDescriptions));
}

/** With `--set a=1 first-light` the name stands among the assignments: it is the one that assigns nothing. */
function separate(source: string | undefined, options: TrainCommandOptions): [string | undefined, TrainCommandOptions] {
  if (options.preset !== undefined) return [namedPreset(source, options.preset), options];
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
    .addHelpText('after', `${examplesOf()}\n${presetList}\n${conventions}`)
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
    .option('--preset <name>', 'the same as naming it as the configuration')
    .option('--set <key=value...>', 'change a key of the configuration; lists by index or name', collect)
    .option('--only <optimizer...>', 'train these optimizers of the configuration alone', collect)
    .option('--resume <run>', 'continue the run in this folder')
    .option('--out <folder>', 'the run folder, new or empty (default: runs/<name>-<date>-<number>)')
    .option('--json', 'print events as JSON lines, the last one the summary')
    .addHelpText('after', `${examplesOf('train')}\n${presetList}`)
    .action((source: string | undefined, options: TrainCommandOptions) =>
      trainCommand(...separate(source, options), terminal, bin),
    );

  program
    .command('evaluate')
    .description("test a run's newest weights, under any format")
    .argument('<run>', 'a run folder; with --model, a configuration or preset too')
    .option(
      '--format <name...>',
      `formats of the forward pass: ${precisionNames.join(', ')}, or all (default: the run's)`,
    )
    .option(
      '--weights <kind>',
      "mean, median or sample of the posterior, or average: the moving one of a run with weightAveraging (default: the run's)",
    )
    .option('--optimizer <name>', 'only this one (default: all)')
    .option('--model <path>', "these weights in place of the run's: a model file, packed or not, or a folder")
    .option('--draws <count>', 'with --weights sample: average the results of so many draws (default: 1)')
    .option('--backend <name>', "what computes (default: the run's)")
    .option('--json', 'print the results as one JSON line')
    .addHelpText('after', examplesOf('evaluate'))
    .action((run: string, options: EvaluateCommandOptions) => evaluateCommand(run, options, terminal));

  program
    .command('generate')
    .description('go on with a text, token by token')
    .argument('<model>', 'a run of a gpt2, a model file, or a folder with a GPT-2 of transformers')
    .option('--prompt <text>', 'the beginning (default: that of a document)', '')
    .option('--optimizer <name>', 'of a run with several (default: the first)')
    .option(
      '--max-tokens <count>',
      'maximum number of new tokens; beyond the context the text is cropped (default: 200, or what the context has room for)',
    )
    .option('--temperature <number>', '0 always takes the likeliest token', '0.8')
    .option('--top-k <count>', 'choose among so many of the likeliest')
    .option('--top-p <part>', 'choose among the likeliest that together have this probability')
    .option('--repetition-penalty <factor>', 'above 1, tokens that the text has already come less often')
    .option('--seed <number>', 'the same seed gives the same text', '0')
    .option('--format <name>', `format of the forward pass: ${precisionNames.join(', ')}`, 'fp32')
    .option('--backend <name>', 'what computes', 'cpu')
    .option('--json', 'print the text as one JSON line')
    .addHelpText('after', examplesOf('generate'))
    .action((path: string, options: GenerateCommandOptions) => generateCommand(path, options, terminal));

  program
    .command('data')
    .description('prepare data for training')
    .command('prepare')
    .description('write text as token files, documents held out for validation and test')
    .argument('<source...>', 'files and folders, or sotu for the State of the Union speeches')
    .requiredOption('--out <folder>', 'where the token files go')
    .option('--tokenizer <name>', 'gpt2 or characters', 'gpt2')
    .option('--validation <part>', 'part of the documents that is held out', '0.1')
    .option('--separator <text>', 'splits files into documents (default: a file is one)')
    .option('--seed <number>', 'of the choice which documents are held out', '0')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('data'))
    .action((sources: string[], options: PrepareCommandOptions) => prepareCommand(sources, options, terminal));

  program
    .command('quantize')
    .description('write a model with its matrices as packed codes of a block format, and say what that saves and costs')
    .argument('<model>', 'a safetensors file, or a run folder')
    .requiredOption('--format <name>', `block format: ${Object.keys(formats).join(', ')}`)
    .option('--out <file>', 'the new file (default: beside the model, with the format in its name)')
    .option('--rounding <name>', roundings.join(', '), 'nearestEven')
    .option('--scale-mode <name>', scaleModes.join(', '), 'floor')
    .option('--seed <number>', 'of stochastic rounding', '0')
    .option('--force', 'replace a file that is there')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('quantize'))
    .action((model: string, options: QuantizeCommandOptions) => quantizeCommand(model, options, terminal));

  program
    .command('export')
    .description('write a model in the layout of another library, in one file or several')
    .argument('<model>', 'a run, a model file, or a folder with a model of transformers')
    .requiredOption('--out <folder>', 'a new or empty folder')
    .option('--layout <name>', `${exportLayouts.join(', ')} (the adapters of a run alone)`, 'transformers')
    .option('--adapters <folder>', 'merge these adapters of PEFT into the model')
    .option('--optimizer <name>', 'of a run with several (default: the first)')
    .option('--shard-size <size>', 'most bytes of a file, such as 500MB or 2GiB (default: one file)')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('export'))
    .action((model: string, options: ExportCommandOptions) => exportCommand(model, options, terminal));

  program
    .command('inspect')
    .description('show what a run, a checkpoint or a safetensors file holds')
    .argument('<path>', 'a run folder, or a safetensors file')
    .option('--tensor <part>', 'only tensors with this in their name')
    .option('--html <file>', 'also write plots of the distributions to this page')
    .option('--json', 'print what is found as one JSON line')
    .addHelpText('after', examplesOf('inspect'))
    .action((path: string, options: InspectCommandOptions) => inspectCommand(path, options, terminal));

  program
    .command('bench')
    .description('how fast the parts of a training step are, backend beside backend')
    .option('--backend <name...>', `one or several of ${backendNames.join(', ')}`, ['cpu', 'tfjs-wasm'])
    .option('--seconds <number>', 'time for each task', '1')
    .option('--json', 'print the results as one JSON line')
    .addHelpText('after', examplesOf('bench'))
    .action((options: BenchCommandOptions) => benchCommand(options, terminal));

  program
    .command('doctor')
    .description('which backends work here, why the others do not, and what to install')
    .option('--json', 'print the findings as one JSON line')
    .addHelpText('after', examplesOf('doctor'))
    .action((options: { json?: boolean }) => doctorCommand(options, terminal, bin));

  return program;
}
