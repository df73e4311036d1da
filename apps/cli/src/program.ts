import { option, roundingOptionTable } from '@lmd/core';
import { writeTokenFilesOptionTable } from '@lmd/data/node';
import { workerOptionTable } from '@lmd/distributed';
import { classifyOptionTable } from '@lmd/inference';
import { cacheFormatNames, generateOptionTable, precisionNames } from '@lmd/models';
import { formats } from '@lmd/mx-formats';
import { Command } from 'commander';
import { version } from '../package.json';
import type { AddClassCommandOptions } from './commands/add-class.js';
import { backendOption } from './commands/backend-option.js';
import type { BenchCommandOptions } from './commands/bench.js';
import { exportLayouts, usualTokens, usualTopK } from './commands/choices.js';
import type { PrepareCommandOptions } from './commands/data.js';
import { declareAnalysis } from './commands/declare-analysis.js';
import { declareCluster } from './commands/declare-cluster.js';
import type { DoctorBackendOptions } from './commands/doctor-backend.js';
import { addErrorHints } from './commands/error-hints.js';
import type { EvaluateCommandOptions } from './commands/evaluate.js';
import type { ExportCommandOptions } from './commands/export.js';
import type { GenerateCommandOptions } from './commands/generate.js';
import type { InspectCommandOptions } from './commands/inspect.js';
import type { PredictCommandOptions } from './commands/predict.js';
import type { QuantizeCommandOptions } from './commands/quantize.js';
import { choiceOption, collect, onlyOption, setOption, tableOption } from './commands/table-option.js';
import type { TrainCommandOptions } from './commands/train.js';
import { runWeightsKinds, tokenizerNames } from './configuration/choices.js';
import { mostThreads, mostWorkers } from './configuration/limits.js';
import { mostSamples } from './configuration/optimizer-tables.js';
import { described, limited } from './configuration/option-schema.js';
import { samplingTable } from './configuration/samples-schema.js';
import { backendNames } from './engine/names.js';
import type { Terminal } from './output/terminal.js';
import { presetDescriptions } from './presets/index.js';

const presetHelp = Object.entries(presetDescriptions)
  .map(([name, description]) => `  ${name.padEnd(14)}${description}`)
  .join('\n');

const examples: readonly (readonly [string, string])[] = [
  ['lmd train first-light', 'train the small ViT on MNIST with LMD and AdamW'],
  ['lmd train pictures', 'train on a folder with one subfolder of images per class'],
  ['lmd train book.txt', 'train a language model on a text'],
  ['lmd train photos --preset own-pictures', 'train on a folder of images with the settings of a preset'],
  ['lmd train smoke --set steps=50 --set optimizers.lmd.noise=0.1', 'a preset with overrides'],
  ['lmd train my-run.json --json > events.jsonl', 'train your own configuration, with events as JSON lines'],
  ['lmd train first-light --workers 2', 'two workers as threads, which average their gradients'],
  ['lmd train my-run.json --workers nats://server:4222 --world 4', 'this process and three of lmd worker'],
  ['lmd train --resume runs/first-light-2025-01-31-001', 'resume an interrupted run, bit-identically'],
  ['lmd evaluate runs/first-light-2025-01-31-001 --format all', 'evaluate its weights in every format'],
  ['lmd evaluate my-run --model my-run/model.mxfp6_e3m2.safetensors', 'evaluate a packed model on the data of its run'],
  ['lmd evaluate my-run --samples 32 --out-of-distribution fashion-mnist', 'average samples, and detect other images'],
  ['lmd data prepare sotu --out data/sotu', 'tokenize the State of the Union speeches for GPT-2'],
  ['lmd train speeches', 'train a small GPT-2 on the speeches'],
  ['lmd generate runs/speeches-2025-01-31-001 --prompt "My fellow citizens"', 'generate text'],
  ['lmd generate runs/speeches-2025-01-31-001 --prompt "My" --prompt "We" --stop "."', 'two texts of one sentence'],
  ['lmd predict my-run photo.jpg', 'classify an image'],
  ['lmd predict my-run photos --samples 16 --csv > predictions.csv', 'classify a folder, with the spread of LMD'],
  ['lmd add-class my-run owls --out with-owls.safetensors', 'add a class from a few images, without training'],
  ['lmd inspect runs/first-light-2025-01-31-001', 'show its progress and results'],
  ['lmd inspect model.safetensors --html weights.html', 'show statistics and plots of every tensor'],
  ['lmd quantize model.safetensors --format mxfp6_e3m2', 'write a packed model, five times smaller'],
  ['lmd export runs/speeches-2025-01-31-001 --out gpt2-speeches', 'write a folder that transformers loads'],
  ['lmd export gpt2-speeches --layout onnx --out gpt2-onnx', 'write a folder that transformers.js loads'],
  ['lmd export tuned --layout peft --out tuned-adapters', 'write the adapters of a run for PEFT'],
  ['lmd compare runs/first-light-2025-01-31-001 my-run --html comparison.html', 'compare runs, with their curves'],
  ['lmd find-rate first-light', 'find a learning rate for each optimizer in a hundred steps'],
  ['lmd search first-light --steps 300', 'search learning rates and settings on validation data'],
  ['lmd search first-light --on nats://server:4222', 'run the trials on the workers of a server'],
  ['lmd worker nats://server:4222', 'run trials of a server, one after another, until Ctrl-C'],
  ['lmd cluster export slurm my-run.json --world 4 --with-nats --out job', 'write scripts for Slurm'],
  [
    'lmd cluster export kubernetes first-light --world 4 --nats nats://nats:4222 --out job',
    'write manifests for Kubernetes',
  ],
  ['lmd watch runs/first-light-2025-01-31-001', 'follow a run in another terminal'],
  ['lmd bench --backend cpu webgpu', 'measure the speed on this machine'],
  ['lmd doctor', 'show which backends work on this machine'],
  ['lmd doctor --backend ./my-backend.js', 'check a backend of your own'],
];

/** Examples of one command, or of all. */
function examplesOf(command?: string): string {
  const chosen = examples.filter(([line]) => command === undefined || line.startsWith(`lmd ${command}`));
  const width = Math.max(...chosen.map(([line]) => line.length));
  return `\nExamples:\n${chosen.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`).join('\n')}`;
}

const presetList = `\nPresets:\n${presetHelp}`;

const conventions = `
Exit codes: 0 success, 1 failure, 2 invalid command or configuration, 130 stopped by Ctrl-C.
Set LMD_DEBUG=1 for stack traces, NO_COLOR=1 for plain text.`;

const averagedSamples = limited(
  option.integer({
    atLeast: 1,
    describe: 'Number of posterior samples whose probabilities to average, such as 32; also shows 1, 2, 4, … of them.',
  }),
  mostSamples,
);
const topClasses = option.integer({
  ...classifyOptionTable.topK.range,
  describe: `Number of the most probable classes to show (default: ${usualTopK}).`,
});
const posteriorSamples = limited(
  described(classifyOptionTable.samples, 'Number of posterior samples to average, of a run whose optimizer has one.'),
  mostSamples,
);
const predictionSeed = described(
  classifyOptionTable.seed,
  "Random seed: of the posterior samples (default: the run's), or of the text (default: 0).",
);
const world = option.integer({
  ...workerOptionTable.workers.range,
  atMost: mostWorkers,
  describe: 'Number of workers (default: distributed.workers of the configuration); each has its share of a batch.',
});
const trainingThreads = option.integer({
  atLeast: 1,
  atMost: mostThreads,
  describe: 'Threads of the cpu backend, which --workers <count> divides (default: threads of the configuration).',
});
const stochasticSeed = option.integer({ atLeast: 0, default: 0, describe: 'Random seed of stochastic rounding.' });
const secondsPerTask = option.number({ above: 0, default: 1, describe: 'Seconds for each task.' });

/** With `--set a=1 first-light` the name is parsed as one of the assignments: it is the one without `=`. */
function separate(source: string | undefined, options: TrainCommandOptions): [string | undefined, TrainCommandOptions] {
  const words = options.set ?? [];
  const stray = source === undefined ? words.find((word) => !word.includes('=')) : undefined;
  return stray === undefined ? [source, options] : [stray, { ...options, set: words.filter((word) => word !== stray) }];
}

async function doctorCommands(options: DoctorBackendOptions, terminal: Terminal, bin: string): Promise<void> {
  const { backend, ...rest } = options;
  return backend === undefined
    ? (await import('./commands/doctor.js')).doctorCommand(rest, terminal, bin)
    : (await import('./commands/doctor-backend.js')).doctorBackendCommand({ ...rest, backend }, terminal);
}

/**
 * The `lmd` command line.
 *
 * @param bin the path of the program itself, for child processes.
 */
export function createProgram(terminal: Terminal, bin: string): Command {
  const program = new Command('lmd')
    .description('Train neural networks with Log-Normal Multiplicative Dynamics in low-precision arithmetic.')
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
    .description('train on your own data, from a configuration or a preset, or resume a run')
    .argument(
      '[configuration]',
      'a JSON file, the name of a preset, or data: a folder of images by class, a CSV of them, or text',
    )
    .addOption(
      choiceOption(
        '--preset <name>',
        'a preset: the same as naming it as the configuration, or the settings for the data that is given',
        Object.keys(presetDescriptions),
      ),
    )
    .addOption(setOption())
    .addOption(onlyOption('train'))
    .option(
      '--resume <run>',
      'resume the run in this folder; with --set, change evaluation, checkpoints, diagnostics or backend',
    )
    .option(
      '--workers <where>',
      'train with several workers: a number of threads, or the workers of a NATS server (nats://host:4222)',
    )
    .addOption(tableOption('--world <count>', world))
    .addOption(tableOption('--threads <count>', trainingThreads))
    .option('--out <folder>', 'the run folder, new or empty (default: runs/<name>-<date>-<number>)')
    .option('--json', 'print events as JSON lines; the last is the summary')
    .addHelpText('after', `${examplesOf('train')}\n${presetList}`)
    .action(async (source: string | undefined, options: TrainCommandOptions) =>
      (await import('./commands/train.js')).trainCommand(...separate(source, options), terminal, bin),
    );

  program
    .command('evaluate')
    .description('evaluate the newest weights of a run on the test set, in any format')
    .argument('<run>', 'a run folder; with --model, a configuration or preset too')
    .addOption(
      choiceOption('--format <name...>', "formats of the forward pass (default: the run's)", [
        ...precisionNames,
        'all',
      ]),
    )
    .addOption(
      choiceOption(
        '--weights <kind>',
        "of the posterior, or average for the moving average of a run with weightAveraging (default: the run's)",
        runWeightsKinds,
      ),
    )
    .option('--optimizer <name>', 'evaluate only this optimizer (default: all that have trained)')
    .option('--model <path>', "evaluate these weights instead of the run's: a model file, packed or not, or a folder")
    .addOption(tableOption('--samples <count>', averagedSamples))
    .option(
      '--out-of-distribution <data>',
      'also detect this data: a preset, configuration, run, folder of images, kind of data, or its keys as JSON',
    )
    .addOption(backendOption("backend, or a module (default: the run's)"))
    .option('--json', 'print the results as one JSON line')
    .addHelpText('after', examplesOf('evaluate'))
    .action(async (run: string, options: EvaluateCommandOptions) =>
      (await import('./commands/evaluate.js')).evaluateCommand(run, options, terminal),
    );

  program
    .command('predict')
    .description('classify images, or continue a text')
    .argument('<model>', 'a run, a model file, or a folder with a model of transformers or timm')
    .argument('<input>', 'an image, a folder with images, or for a language model a text file')
    .addOption(tableOption('--top-k <count>', topClasses))
    .addOption(tableOption('--samples <count>', posteriorSamples))
    .addOption(tableOption('--seed <number>', predictionSeed))
    .option('--optimizer <name>', 'optimizer of a run with several (default: the first)')
    .addOption(
      choiceOption(
        '--format <name>',
        'format of the forward pass (default: that in which the model was trained)',
        precisionNames,
      ),
    )
    .addOption(backendOption('backend, or a module').default('cpu'))
    .option('--csv', 'print the predictions as comma-separated values')
    .option('--json', 'print the predictions as one JSON line')
    .addHelpText('after', examplesOf('predict'))
    .action(async (model: string, input: string, options: PredictCommandOptions) =>
      (await import('./commands/predict.js')).predictCommand(model, input, options, terminal),
    );

  program
    .command('add-class')
    .description('add a class to a classifier from a few images, without training')
    .argument('<model>', 'a run, a model file, or a folder with a ViT of transformers or timm')
    .argument('<images>', 'a folder with images of the new class, or one image')
    .requiredOption('--out <file>', 'the new model file')
    .option('--name <class>', 'name of the class (default: that of the folder)')
    .option('--optimizer <name>', 'optimizer of a run with several (default: the first)')
    .addOption(backendOption('backend, or a module').default('cpu'))
    .option('--force', 'overwrite an existing file')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('add-class'))
    .action(async (model: string, images: string, options: AddClassCommandOptions) =>
      (await import('./commands/add-class.js')).addClassCommand(model, images, options, terminal),
    );

  program
    .command('generate')
    .description('generate text')
    .argument('<model>', 'a run of a gpt2, a model file, or a folder with a GPT-2 of transformers')
    .option(
      '--prompt <text>',
      'text to continue; repeat it for several (default: the beginning of a document)',
      collect,
    )
    .option('--prompts-file <file>', 'prompts, one a line; in a .jsonl file, each "text" or { "prompt": "text" }')
    .option('--stop <text>', 'end before this text, which is not printed; repeat it for several', collect)
    .option('--optimizer <name>', 'optimizer of a run with several (default: the first)')
    .addOption(
      tableOption(
        '--max-tokens <count>',
        described(
          generateOptionTable.maxTokens,
          `Maximum number of new tokens; beyond the context length the text is cropped, and each token costs a full forward pass (default: ${usualTokens}, or the rest of the context).`,
        ),
      ),
    )
    .addOption(tableOption('--temperature <number>', samplingTable.temperature))
    .addOption(tableOption('--top-k <count>', samplingTable.topK))
    .addOption(tableOption('--top-p <part>', samplingTable.topP))
    .addOption(tableOption('--repetition-penalty <factor>', samplingTable.repetitionPenalty))
    .addOption(tableOption('--seed <number>', samplingTable.seed))
    .addOption(choiceOption('--format <name>', 'format of the forward pass', precisionNames).default('fp32'))
    .addOption(
      choiceOption(
        '--weights-format <name>',
        'keep the weights packed in a block format (default: as the file has them)',
        Object.keys(formats),
      ),
    )
    .addOption(
      choiceOption(
        '--cache-format <name>',
        'keep keys and values in a block format (default: as 32-bit numbers)',
        cacheFormatNames,
      ),
    )
    .addOption(backendOption('backend, or a module').default('cpu'))
    .option('--json', 'print the text as one JSON line')
    .addHelpText('after', examplesOf('generate'))
    .action(async (path: string, options: GenerateCommandOptions) =>
      (await import('./commands/generate.js')).generateCommand(path, options, terminal),
    );

  program
    .command('data')
    .description('prepare data for training')
    .command('prepare')
    .description('write text as token files, with documents held out for validation and test')
    .argument('<source...>', 'files and folders, or sotu for the State of the Union speeches')
    .requiredOption('--out <folder>', 'folder for the token files')
    .addOption(choiceOption('--tokenizer <name>', 'what makes tokens of the text', tokenizerNames).default('gpt2'))
    .addOption(
      tableOption('--validation <part>', {
        ...described(writeTokenFilesOptionTable.validation, 'Fraction of the documents to hold out for validation.'),
        // A run needs validation data, and training data.
        range: { above: 0, below: 1 },
      }),
    )
    .option('--separator <text>', 'text that separates the documents of a file (default: each file is one document)')
    .addOption(tableOption('--seed <number>', writeTokenFilesOptionTable.seed))
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('data'))
    .action(async (sources: string[], options: PrepareCommandOptions) =>
      (await import('./commands/data.js')).prepareCommand(sources, options, terminal),
    );

  program
    .command('quantize')
    .description('write a model with its matrices packed in a block format, and report the size and the error')
    .argument('<model>', 'a safetensors file, or a run folder')
    .addOption(choiceOption('--format <name>', 'block format', Object.keys(formats)).makeOptionMandatory())
    .option('--out <file>', 'the new file (default: next to the model, with the format in its name)')
    .addOption(
      tableOption('--rounding <name>', described(roundingOptionTable.rounding, 'How values between two codes round.')),
    )
    .addOption(tableOption('--scale-mode <name>', roundingOptionTable.scaleMode))
    .addOption(tableOption('--seed <number>', stochasticSeed))
    .option('--force', 'overwrite an existing file')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('quantize'))
    .action(async (model: string, options: QuantizeCommandOptions) =>
      (await import('./commands/quantize.js')).quantizeCommand(model, options, terminal),
    );

  program
    .command('export')
    .description('write a model in the layout of another library, in one file or in shards')
    .argument('<model>', 'a run, a model file, or a folder with a model of transformers')
    .requiredOption('--out <folder>', 'a new folder')
    .addOption(
      choiceOption(
        '--layout <name>',
        'layout of the files; onnx: for onnxruntime and transformers.js; peft: the adapters of a run alone',
        exportLayouts,
      ).default('transformers'),
    )
    .option('--adapters <folder>', 'merge the PEFT adapters in this folder into the model')
    .option('--optimizer <name>', 'optimizer of a run with several (default: the first)')
    .option('--shard-size <size>', 'maximum size of a file, such as 500MB or 2GiB (default: one file)')
    .option('--no-cache', 'with --layout onnx: a GPT-2 without keys and values as inputs and outputs')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examplesOf('export'))
    .action(async (model: string, options: ExportCommandOptions) =>
      (await import('./commands/export.js')).exportCommand(model, options, terminal),
    );

  program
    .command('inspect')
    .description('show the contents of a run, a checkpoint or a safetensors file')
    .argument('<path>', 'a run folder, or a safetensors file')
    .option('--tensor <part>', 'show only tensors whose name contains this')
    .option('--html <file>', 'also write histograms of the weights to this HTML page')
    .option('--json', 'print the contents as one JSON line')
    .addHelpText('after', examplesOf('inspect'))
    .action(async (path: string, options: InspectCommandOptions) =>
      (await import('./commands/inspect.js')).inspectCommand(path, options, terminal),
    );

  declareAnalysis(program, terminal, bin, examplesOf);
  declareCluster(program, terminal, bin, examplesOf);

  program
    .command('bench')
    .description('measure the speed of the parts of a training step on one or more backends')
    .addOption(choiceOption('--backend <name...>', 'backends', backendNames).default(['cpu']))
    .addOption(tableOption('--seconds <number>', secondsPerTask))
    .option('--json', 'print the results as one JSON line')
    .addHelpText('after', examplesOf('bench'))
    .action(async (options: BenchCommandOptions) =>
      (await import('./commands/bench.js')).benchCommand(options, terminal),
    );

  program
    .command('doctor')
    .description('show which backends work on this machine, why the others do not, and what to install')
    .addOption(backendOption('check one backend, ours or a module, also with the quick level of @lmd/conformance'))
    .option('--json', 'print the findings as one JSON line')
    .addHelpText('after', examplesOf('doctor'))
    .action((options: DoctorBackendOptions) => doctorCommands(options, terminal, bin));

  addErrorHints(program, terminal.error);
  return program;
}
