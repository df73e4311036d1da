import { join } from 'node:path';
import { option } from '@lmd/core';
import type { Command } from 'commander';
import { limited } from '../configuration/option-schema.js';
import type { Terminal } from '../output/terminal.js';
import { tableOption } from './table-option.js';
import type { WorkerCommandOptions } from './worker.js';

/** More than this is a slip. */
const mostParallel = 1024;

const worker = {
  parallel: limited(
    option.integer({ atLeast: 1, default: 1, describe: 'Number of trials to run in parallel.' }),
    mostParallel,
  ),
  threads: limited(option.integer({ atLeast: 1, default: 1, describe: 'Threads of each trial.' }), mostParallel),
  idle: option.number({ above: 0, describe: 'End after this many seconds without a trial (default: wait).' }),
};

/** Declares the commands for several machines. */
export function declareCluster(
  program: Command,
  terminal: Terminal,
  bin: string,
  examples: (command: string) => string,
): void {
  program
    .command('worker')
    .description('run trials of studies and searches, and parts of trainings, for a NATS server, until Ctrl-C')
    .argument('<server>', 'nats://host:4222, or tls://host:4222; credentials: NATS_TOKEN, NATS_USER and NATS_PASSWORD')
    .addOption(tableOption('--parallel <count>', worker.parallel))
    .addOption(tableOption('--threads <count>', worker.threads))
    .option('--data <path>', "a copy of the study's data, checked by its SHA-256 (default: fetch it from the server)")
    .option('--work <folder>', 'folder of fetched data and of running trials', join('runs', 'worker'))
    .addOption(tableOption('--idle <seconds>', worker.idle))
    .addHelpText('after', examples('worker'))
    .action(async (server: string, options: WorkerCommandOptions) =>
      (await import('./worker.js')).workerCommand(server, options, terminal, bin),
    );
}
