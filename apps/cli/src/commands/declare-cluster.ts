import { join } from 'node:path';
import { option } from '@lmd/core';
import { workerOptionTable } from '@lmd/distributed';
import { Argument, type Command } from 'commander';
import { mostWorkers } from '../configuration/limits.js';
import { limited } from '../configuration/option-schema.js';
import type { Terminal } from '../output/terminal.js';
import { clusterTargets, usualImage } from './choices.js';
import type { ClusterExportOptions, ClusterTarget } from './cluster-export.js';
import { onlyOption, setOption, tableOption } from './table-option.js';
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

const exported = {
  world: option.integer({
    ...workerOptionTable.workers.range,
    atMost: mostWorkers,
    describe: 'Number of processes (default for a training: distributed.workers of the configuration).',
  }),
  cpus: limited(option.integer({ atLeast: 1, default: 4, describe: 'Processors of each process.' }), mostParallel),
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

  program
    .command('cluster')
    .description('run trainings and studies on a cluster')
    .command('export')
    .description('write manifests for Kubernetes or scripts for Slurm, which run a training or a study with workers')
    .addArgument(new Argument('<target>', 'the kind of cluster').choices(clusterTargets))
    .argument('[configuration]', 'a training: a JSON file or the name of a preset')
    .option('--study <file>', 'a study instead; needs a clone of the repository')
    .addOption(setOption())
    .addOption(onlyOption('train'))
    .addOption(tableOption('--world <count>', exported.world))
    .option('--nats <address>', 'a NATS server that all nodes reach, without credentials: nats://host:4222')
    .option('--with-nats', 'export a NATS server with JetStream too')
    .requiredOption('--out <folder>', 'a new folder')
    .option('--name <label>', 'name of the job (default: that of the configuration)')
    .addOption(tableOption('--cpus <count>', exported.cpus))
    .option('--memory <size>', 'memory of each process, such as 8GiB or 500MB', '8GiB')
    .option('--installed', 'lmd is in the image or on the nodes: do not install it by npx')
    .option('--clone <folder>', 'with --study: the clone on the nodes (default: /lmd of the image, or this clone)')
    .option('--image <name>', `kubernetes: container image (default: ${usualImage})`)
    .option('--secret <name>', 'kubernetes: Secret with NATS_TOKEN or other credentials (default: <name>-nats)')
    .option('--storage <size>', 'kubernetes: size of each exported claim (default: 10GiB)')
    .option('--storage-class <name>', "kubernetes: its storage class (default: the cluster's)")
    .option('--runs-claim <name>', 'kubernetes: ReadWriteMany claim for the run folder (default: export one)')
    .option('--data-claim <name>', 'kubernetes: claim with the data of the configuration')
    .option('--time <limit>', 'slurm: time limit, after which a task is requeued (default: 1-00:00:00)')
    .option('--data <path>', 'slurm: path of the data on the nodes (default: that of the configuration)')
    .option('--force', 'overwrite the files of an earlier export')
    .option('--json', 'print the result as one JSON line')
    .addHelpText('after', examples('cluster'))
    .action(async (target: ClusterTarget, source: string | undefined, options: ClusterExportOptions) =>
      (await import('./cluster-export.js')).clusterExportCommand(target, source, options, terminal, bin),
    );
}
