import { type ClusterJob, graceSeconds } from './cluster-job.js';
import { readmePage, summaryOf, writtenBy } from './readme-page.js';

export interface SlurmOptions {
  /** Time limit as Slurm writes it: `1-00:00:00`. */
  readonly time: string;
  /** Command line that repeats the export. */
  readonly command: string;
}

/** The page of a folder for Slurm. */
export function slurmReadme(job: ClusterJob, script: string, { time, command }: SlurmOptions): string {
  const { name, server, start, data } = job;
  const isOwn = server === undefined;
  return readmePage([
    `# ${name} on Slurm`,
    '',
    summaryOf(job, 'task'),
    'Run these commands in this folder, which all nodes must share:',
    '',
    ...(isOwn
      ? ['    (umask 077 && openssl rand -hex 16 >token)', '    sbatch server.sbatch', `    sbatch ${script}`]
      : ['    (umask 077 && cat >token)', `    sbatch ${script}`, `    tail -F ${name}-*_0.log`]),
    '',
    ...(isOwn
      ? []
      : [
          '- **Credentials.** `token` is the token of the server. Others are environment variables, which sbatch passes on: ' +
            '`NATS_USER` and `NATS_PASSWORD`, or the files `NATS_CREDS`, `NATS_CA`, `NATS_CERT` and `NATS_KEY`.',
        ]),
    `- **Progress** is in \`${name}-<job>_<task>.log\`. \`squeue --me\` lists the tasks. The result is in \`run\`.`,
    `- **Options of sbatch** override those of the scripts: \`sbatch --partition=<name> --account=<name> ${script}\`.`,
    `- **Time limit.** ${graceSeconds} seconds before the limit of ${time}, each task saves and requeues itself. ` +
      'The run then resumes. So it does after a preemption, or when a node has failed.',
    `- **The end.** When task 0 has ended, it cancels the others${isOwn ? ' and the server' : ''}. ` +
      `\`scancel <job>\` stops all; \`sbatch ${script}\` resumes the run.`,
    ...(isOwn
      ? ['- **The server** keeps its files in `nats`. When it moves to another node, the tasks requeue themselves.']
      : []),
    `- **Programs.** ${programs(start)}`,
    ...(data === undefined ? [] : [`- **Data** are read from \`${data}\`, a path that all nodes must share.`]),
    '',
    writtenBy(command),
  ]);
}

function programs(start: ClusterJob['start']): string {
  if (start.kind === 'npx') {
    return (
      `Each task installs ${start.packages.join(' and ')} by \`npx\`. So nodes need Node 20.9 or later, and the npm ` +
      'registry. Without the registry, install the command once, and export with `--installed`.'
    );
  }
  if (start.kind === 'installed') return 'All nodes have `lmd` in the PATH, in the same version.';
  return `Nodes run those of the clone in \`${start.folder}\`.`;
}
