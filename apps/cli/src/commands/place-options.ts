import { queuePriorities } from '@lmd/distributed';
import { Option } from 'commander';

/** `--on` of a command that runs trials. */
export const onOption = () =>
  new Option('--on <server>', 'run the trials on the workers of a NATS server: nats://host:4222 (see lmd worker)');

/** `--priority` of trials that run on workers. */
export const priorityOption = () =>
  new Option('--priority <name>', 'with --on: order among the trials of several studies')
    .choices(queuePriorities)
    .default('normal');

/** `--no-upload` of trials that run on workers. */
export const uploadOption = () =>
  new Option('--no-upload', 'with --on: do not copy the data to the server; workers need --data');
