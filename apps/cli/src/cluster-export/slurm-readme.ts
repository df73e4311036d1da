import type { ClusterJob } from './cluster-job.js';

export interface SlurmOptions {
  /** Time limit as Slurm writes it: `1-00:00:00`. */
  readonly time: string;
  /** Command line that repeats the export. */
  readonly command: string;
}

/** The page of a folder for Slurm. */
export function slurmReadme(job: ClusterJob, script: string, { time, command }: SlurmOptions): string {
  const { name, world, server, task, start } = job;
  const isTraining = task.kind === 'training';
  const processes = world === 1 ? 'one process' : `${world} processes`;
  const token = '(umask 077 && openssl rand -hex 16 >token)';
  return `# ${name} on Slurm

${isTraining ? `A training with ${processes}: task 0 leads, the others are workers.` : `A study on ${processes}, the first of which also plans and records it.`}
Run these in this folder, which all nodes must share:

    ${server === undefined ? token : '(umask 077 && cat >token)       # the token of the server; or set NATS_TOKEN'}
${server === undefined ? '    sbatch server.sbatch' : `    sbatch ${script}`}
${server === undefined ? `    sbatch ${script}` : `    tail -F ${name}-*_0.log`}

- **Progress** is in \`${name}-<job>_<task>.log\`; \`squeue --me\` lists the tasks. The result is in \`run\`.
- **Options of sbatch** come before those of the scripts: \`sbatch --partition=<name> --account=<name> ${script}\`.
- **Time.** ${Number.parseInt(time, 10) === 0 ? 'Before' : 'Two minutes before'} the limit of ${time} each task saves, and requeues itself. It resumes where it was. A task that is
  preempted or whose node fails does too.
- **The end.** When task 0 has ended, it cancels the others${server === undefined ? ' and the server' : ''}. \`scancel <job>\` ends all; \`sbatch ${script}\`
  resumes them.
${
  server === undefined
    ? `- **The server** keeps its files in \`nats\`. If its node fails, cancel both jobs and submit both again.
`
    : `- **Credentials** other than a token are environment variables, which sbatch passes on: \`NATS_USER\` and \`NATS_PASSWORD\`,
  or \`NATS_CREDS\`, \`NATS_CA\`, \`NATS_CERT\` and \`NATS_KEY\` for files.
`
}- **Programs.** ${programs(start)}
${job.data === undefined ? '' : `- **Data** are read at the path in \`${task.file}\`, which all nodes must share.\n`}
Written by \`${command.replaceAll('`', "'").replace(/[\r\n]+/g, ' ')}\`.
`;
}

function programs(start: ClusterJob['start']): string {
  if (start.kind === 'npx') {
    return `Each task installs ${start.packages.join(' and ')} by \`npx\`, so nodes need Node 20.9 or later and the npm\n  registry. Without it, install the command once and export with \`--installed\`.`;
  }
  if (start.kind === 'installed') return 'Nodes have `lmd` in the PATH, in the same version.';
  return `Nodes run those of the clone in \`${start.folder}\`.`;
}
