import { option } from '@lmd/core';
import { type Command, Option } from 'commander';
import { mostSteps } from '../configuration/limits.js';
import { limited } from '../configuration/option-schema.js';
import type { Terminal } from '../output/terminal.js';
import type { CompareCommandOptions } from './compare.js';
import type { FindRateCommandOptions } from './find-rate.js';
import { onOption, priorityOption, uploadOption } from './place-options.js';
import type { SearchCommandOptions } from './search.js';
import { collect, onlyOption, setOption, tableOption } from './table-option.js';
import type { WatchCommandOptions } from './watch.js';

const rangeTest = {
  from: option.number({ above: 0, default: 1e-6, describe: 'Learning rate of the first step.' }),
  to: option.number({ above: 0, default: 10, describe: 'Learning rate of the last step.' }),
  steps: limited(option.integer({ atLeast: 10, default: 100, describe: 'Number of steps per optimizer.' }), mostSteps),
};

/** More trials than this, or more at once, is a slip. */
const mostTrials = 10_000;
const mostParallel = 1024;

const count = (describe: string, most: number) => limited(option.integer({ atLeast: 1, describe }), most);
const search = {
  trials: limited(
    option.integer({ atLeast: 1, default: 12, describe: 'Number of trials of each optimizer.' }),
    mostTrials,
  ),
  steps: count('Number of steps of each trial (default: those of the configuration).', mostSteps),
  parallel: limited(
    option.integer({ atLeast: 1, default: 1, describe: 'Number of trials to run in parallel.' }),
    mostParallel,
  ),
  threads: count('Threads of each trial (default: the processors, divided by the parallel trials).', mostParallel),
};

const watchInterval = option.number({ above: 0, atMost: 3600, default: 1, describe: 'Seconds between updates.' });

/** Declares the commands that compare runs and find settings. */
export function declareAnalysis(
  program: Command,
  terminal: Terminal,
  bin: string,
  examples: (command: string) => string,
): void {
  program
    .command('find-rate')
    .description('find a learning rate for each optimizer: the loss while the rate rises (range test)')
    .argument('<configuration>', 'a JSON file, a preset, or a folder or file of your own data')
    .addOption(setOption())
    .addOption(onlyOption('test'))
    .addOption(tableOption('--from <rate>', rangeTest.from))
    .addOption(tableOption('--to <rate>', rangeTest.to))
    .addOption(tableOption('--steps <count>', rangeTest.steps))
    .option('--out <folder>', 'a new or empty folder for the plot (HTML and SVG) and the values (JSON)')
    .option('--json', 'print the values as one JSON line')
    .addHelpText('after', examples('find-rate'))
    .action(async (source: string, options: FindRateCommandOptions) =>
      (await import('./find-rate.js')).findRateCommand(source, options, terminal),
    );

  program
    .command('compare')
    .description('compare the results of runs, and show the keys in which their configurations differ')
    .argument('<run...>', 'run folders, finished or not')
    .option('--html <file>', 'also write a page with the overlaid curves')
    .addOption(new Option('--csv', 'print comma-separated values').conflicts('json'))
    .option('--json', 'print the comparison as one JSON line')
    .addHelpText('after', examples('compare'))
    .action(async (runs: string[], options: CompareCommandOptions) =>
      (await import('./compare.js')).compareCommand(runs, options, terminal),
    );

  program
    .command('search')
    .description('search the learning rate and the main settings of each optimizer on validation data')
    .argument('<configuration>', 'a JSON file, a preset, or a folder or file of your own data')
    .addOption(setOption())
    .addOption(onlyOption('search'))
    .addOption(tableOption('--trials <count>', search.trials))
    .addOption(tableOption('--steps <count>', search.steps))
    .option('--range <optimizer.option=low..high...>', 'search this range; replaces or adds to the usual ones', collect)
    .addOption(tableOption('--parallel <count>', search.parallel))
    .addOption(tableOption('--threads <count>', search.threads))
    .addOption(onOption())
    .addOption(priorityOption())
    .addOption(uploadOption())
    .option('--out <folder>', 'folder of the ledger and the results; resumes a search (default: runs/<name>-search)')
    .option('--dry-run', 'print the ranges and the number of trials, without running them')
    .option('--json', 'print the winners as one JSON line')
    .addHelpText('after', examples('search'))
    .action(async (source: string, options: SearchCommandOptions) =>
      (await import('./search.js')).searchCommand(source, options, terminal, bin),
    );

  program
    .command('watch')
    .description('show the curves, speed and time left of a run in progress, until it ends or Ctrl-C')
    .argument('<run>', 'a run folder')
    .addOption(tableOption('--interval <seconds>', watchInterval))
    .option('--json', 'print the state as JSON lines')
    .addHelpText('after', examples('watch'))
    .action(async (run: string, options: WatchCommandOptions) =>
      (await import('./watch.js')).watchCommand(run, options, terminal),
    );
}
