import type { ClusterJob } from './cluster-job.js';
import { shellWord } from './shell-word.js';

/** What differs between clusters. All are texts of the script, quoted where needed. */
interface Surroundings {
  /** Sets `index`, the number of this process from 0, and `server`. */
  readonly before: readonly string[];
  /** Runs after `run` and before the programs end, with the exit code in `code`. */
  readonly after: readonly string[];
  /** Traps of signals. */
  readonly traps: readonly string[];
  /** Path of the file of the task. */
  readonly file: string;
  /** Path of the run folder. */
  readonly run: string;
  /** Condition of the first process under which an earlier one of the same place has ended. */
  readonly isReplaced: string;
  /** Path of the folder of what a worker keeps. */
  readonly work: string;
}

const processes = `
children=
stopped=

# Passes a signal on: a step is then finished, and saved or handed back.
stop() {
  stopped=$1
  for child in $children; do
    kill -s TERM "$child" 2>/dev/null || :
  done
}

# Starts a program in the background; its process is then in $!.
start() {
  "$@" &
  children="$children $!"
  [ -z "$stopped" ] || stop "$stopped"
}

# Waits for a process, also through signals. Its exit code is then in $code.
await() {
  code=0
  wait "$1" || code=$?
  while kill -0 "$1" 2>/dev/null; do
    code=0
    wait "$1" || code=$?
  done
}
`;

/**
 * A POSIX shell script that every process of a job runs: the first leads, the others are workers. It passes SIGTERM on
 * and waits, so that a checkpoint is written.
 */
export function workScript(
  job: ClusterJob,
  { before, after, traps, file, run, work, isReplaced }: Surroundings,
): string {
  const { world, task, data, cpus } = job;
  const ofData = data === undefined ? '' : ` --data ${shellWord(data)}`;
  const { find, lmd, studies } = programsOf(job);
  const worker = `start ${lmd} worker "$server" --threads ${cpus}${ofData} --work ${work}`;
  const first =
    task.kind === 'training'
      ? [
          `  if [ -f ${run}/config.json ]; then`,
          `    start ${lmd} train --resume ${run} --workers "$server"`,
          '  else',
          `    start ${lmd} train ${file} --out ${run} --workers "$server" --world ${world}`,
          '  fi',
          '  await "$!"',
        ]
      : [
          `  ${worker}`,
          '  worker=$!',
          `  start ${studies} ${file} --on "$server" --out ${run}${ofData}`,
          '  await "$!"',
          '  kill -s TERM "$worker" 2>/dev/null || :',
          '  ended=$code',
          '  await "$worker"',
          '  code=$ended',
        ];
  return [
    'set -eu',
    ...before,
    processes.trimEnd(),
    '',
    ...traps,
    '',
    ...find,
    'if [ "$index" -eq 0 ]; then',
    '  # The lock of a process that was killed on another node. The cluster runs one at a time.',
    `  if ${isReplaced}; then rm -f ${run}/run.lock ${run}/run.lock.takeover; fi`,
    ...first,
    'else',
    `  ${worker}`,
    '  await "$!"',
    'fi',
    ...after,
    'exit "$code"',
    '',
  ].join('\n');
}

/** Finds the command, and gives the words that run it and the studies. */
function programsOf({ start }: ClusterJob): {
  readonly find: readonly string[];
  readonly lmd: string;
  readonly studies: string;
} {
  if (start.kind === 'clone') {
    const program = (path: string) =>
      `node ${shellWord(`${start.folder.replace(/\/$/, '')}/apps/${path}/dist/bin.js`)}`;
    return { find: [], lmd: program('cli'), studies: program('studies') };
  }
  const isNpx = start.kind === 'npx';
  const packages = isNpx ? start.packages.map((name) => `--package=${shellWord(name)}`).join(' ') : '';
  const problem = isNpx ? 'npm cannot install it' : 'it is not in the PATH';
  return {
    find: [
      // Between npx and a program there may be a shell, which does not pass signals on.
      ...(isNpx ? ['# Installs the command, and runs it without npx, which would keep signals.'] : []),
      `program=$(${isNpx ? `npx --yes ${packages} --call 'command -v lmd'` : 'command -v lmd'}) || {`,
      `  echo 'There is no command lmd: ${problem}.' >&2`,
      '  exit 1',
      '}',
      '',
    ],
    lmd: '"$program"',
    studies: '',
  };
}
