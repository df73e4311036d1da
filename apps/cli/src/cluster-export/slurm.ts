import { type ClusterJob, type ExportedFiles, graceSeconds } from './cluster-job.js';
import { shellWord } from './shell-word.js';
import { type SlurmOptions, slurmReadme } from './slurm-readme.js';
import { workScript } from './work-script.js';

/** All files that an export may write. */
export const slurmFiles = [
  ...['README.md', 'train.sbatch', 'study.sbatch', 'server.sbatch', 'configuration.json', 'study.json', '.gitignore'],
];

/** Scripts for `sbatch`: an array of the job's processes, and a server if it has none. They run in their folder. */
export function slurmExport(job: ClusterJob, options: SlurmOptions): ExportedFiles {
  const script = scriptOf(job);
  return {
    'README.md': slurmReadme(job, script, options),
    [script]: arrayScript(job, script, options),
    ...(job.server === undefined ? { 'server.sbatch': serverScript(job, options) } : {}),
    [job.task.file]: job.task.text,
    // The token is a secret; the rest is of one run.
    '.gitignore': ['token', 'server', 'server.job', 'nats/', 'run/', 'work/', '*.log', ''].join('\n'),
  };
}

const scriptOf = ({ task }: ClusterJob) => (task.kind === 'training' ? 'train.sbatch' : 'study.sbatch');

type Directives = Readonly<Record<string, string | number | true>>;

function headOf(directives: Directives, { command }: SlurmOptions): string[] {
  return [
    '#!/bin/bash',
    ...Object.entries(directives).map(([name, value]) => `#SBATCH --${name}${value === true ? '' : `=${value}`}`),
    '',
    '# Options of sbatch come before those above: sbatch --partition=<name> …',
    // A comment ends with its line.
    `# Written by: ${command.replace(/[\r\n]+/g, ' ')}`,
    '',
  ];
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)}M`;

/** What both scripts have: a requeued job goes on in the same file, and is told in time that its limit comes. */
const shared = ({ time }: SlurmOptions) => ({
  time,
  requeue: true as const,
  'open-mode': 'append',
  signal: `B:USR1@${graceSeconds}`,
});

const goToFolder = (file: string) => [
  `cd "\${SLURM_SUBMIT_DIR:?Submit this script with sbatch.}"`,
  `if [ ! -f ${file} ]; then`,
  `  echo "${file} is not in $PWD. Submit the script in its folder: cd <folder> && sbatch <script>" >&2`,
  '  exit 2',
  'fi',
];

const readToken = [
  '# A file that only its owner reads, unless the environment has credentials.',
  'if [ -f token ]; then NATS_TOKEN=$(cat token) && export NATS_TOKEN; fi',
];

function arrayScript(job: ClusterJob, script: string, options: SlurmOptions): string {
  const { name, world, cpus, memoryBytes, task, server } = job;
  const directives = {
    'job-name': name,
    array: `0-${world - 1}`,
    ntasks: 1,
    'cpus-per-task': cpus,
    mem: mebibytes(memoryBytes),
    ...shared(options),
    output: '%x-%A_%a.log',
  };
  const body = workScript(job, {
    before: [
      ...goToFolder(task.file),
      'index=$SLURM_ARRAY_TASK_ID',
      ...(job.start.kind === 'npx' ? ownCache : []),
      ...readToken,
      ...(server === undefined ? ownServer(script) : [`server=${shellWord(server)}`]),
    ],
    traps: [
      '# Preemption and scancel send TERM; Slurm then requeues by itself, or does not. USR1 comes before the time limit.',
      "trap 'stop end' TERM INT",
      "trap 'stop requeue' USR1",
    ],
    after: [
      ...(server === undefined ? movedServer : []),
      'if [ "$stopped" = requeue ]; then',
      `  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"`,
      'elif [ "$index" -eq 0 ] && [ -z "$stopped" ]; then',
      '  # Workers wait for more work, and nothing else comes.',
      ...(world === 1 ? [] : [`  scancel "\${SLURM_ARRAY_JOB_ID}_[1-${world - 1}]" || :`]),
      ...(server === undefined ? ['  scancel "$(cat server.job)" || :'] : []),
      ...(world === 1 && server !== undefined ? ['  :'] : []),
      'fi',
    ],
    file: task.file,
    run: 'run',
    isReplaced: `[ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ]`,
    work: '"work/$index"',
  });
  return [...headOf(directives, options), body].join('\n');
}

/** Several npx that write to one cache at a time disturb each other. */
const ownCache = [
  `npm_config_cache=\${SLURM_TMPDIR:-\${TMPDIR:-/tmp}}/lmd-npm-$SLURM_JOB_ID && export npm_config_cache`,
  `trap 'rm -rf "$npm_config_cache"' EXIT`,
];

/** Waits for the server, which has its own place in the queue. */
const ownServer = (script: string) => [
  'until [ -s server ]; do',
  `  [ -n "\${waiting:-}" ] || echo 'Waiting for server.sbatch.'`,
  '  waiting=yes',
  '  sleep 5',
  'done',
  `# ${script} and server.sbatch share this folder.`,
  'server=$(cat server)',
];

/** The server's own time limit, or a failed node, gives it another address. */
const movedServer = [
  '# The server has another address now, or will have one.',
  `if [ -z "$stopped" ] && [ "$code" -eq 1 ] && [ "$(cat server 2>/dev/null || :)" != "$server" ]; then`,
  '  stopped=requeue',
  'fi',
];

function serverScript({ name }: ClusterJob, options: SlurmOptions): string {
  const directives = {
    'job-name': `${name}-server`,
    ntasks: 1,
    'cpus-per-task': 1,
    mem: '2048M',
    ...shared(options),
    output: '%x-%j.log',
  };
  return [
    ...headOf(directives, options),
    `set -eu
cd "\${SLURM_SUBMIT_DIR:?Submit this script with sbatch.}"
if ! command -v nats-server >/dev/null; then
  echo 'nats-server is not in the PATH. Load its module, or put the program of https://nats.io/download there.' >&2
  exit 1
fi
${readToken.join('\n')}
case \${NATS_TOKEN:?Write a token first: (umask 077 && openssl rand -hex 16 >token)} in
  *[!A-Za-z0-9_-]*)
    echo 'The token has other characters than letters, digits, - and _.' >&2
    exit 2
    ;;
esac
# Jobs of one node need different ports.
port=$((20000 + SLURM_JOB_ID % 10000))
# Arguments of a program are visible to all users of a node; this file is not.
settings=$(mktemp)
ports=$(mktemp -d)
printf 'port: %s\\njetstream { store_dir: "nats" }\\nauthorization { token: "%s" }\\n' "$port" "$NATS_TOKEN" >"$settings"
stopped=
trap 'rm -rf "$settings" "$ports" server server.job' EXIT
nats-server --config "$settings" --ports_file_dir "$ports" &
nats=$!
trap 'stopped=end; kill "$nats"' TERM INT
trap 'stopped=requeue; kill "$nats"' USR1
echo "$SLURM_JOB_ID" >server.job
# The server writes its ports when it listens. Tasks connect as soon as they find its address.
while [ -z "$(ls "$ports")" ] && kill -0 "$nats" 2>/dev/null; do sleep 0.1; done
if kill -0 "$nats" 2>/dev/null; then
  printf 'nats://%s:%s\\n' "\${SLURMD_NODENAME:-$(hostname)}" "$port" >server.new
  mv server.new server
fi
code=0
wait "$nats" || code=$?
while kill -0 "$nats" 2>/dev/null; do wait "$nats" || code=$?; done
[ "$stopped" != requeue ] || scontrol requeue "$SLURM_JOB_ID"
[ -z "$stopped" ] || exit 0
exit "$code"
`,
  ].join('\n');
}
