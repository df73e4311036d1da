import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseAddress } from '../cluster/connect.js';
import type { ClusterJob, ExportedFiles, StartOfPrograms } from '../cluster-export/cluster-job.js';
import { kubernetesExport, kubernetesFiles } from '../cluster-export/kubernetes.js';
import { dataFolder } from '../cluster-export/kubernetes-parts.js';
import { neededPackages } from '../cluster-export/needed-packages.js';
import { type PlannedTask, planStudyTask, planTraining } from '../cluster-export/plan-task.js';
import { shellWord } from '../cluster-export/shell-word.js';
import { slurmExport, slurmFiles } from '../cluster-export/slurm.js';
import { checkTimeLimit } from '../cluster-export/time-limit.js';
import { writeExport } from '../cluster-export/write-export.js';
import { UsageError } from '../errors.js';
import { jsonLine } from '../output/json.js';
import { writeNotes } from '../output/notes.js';
import { keepStandardOutputClean, type Terminal } from '../output/terminal.js';
import { byteCount } from './byte-count.js';
import { type clusterTargets, usualImage } from './choices.js';

export type ClusterTarget = (typeof clusterTargets)[number];

export interface ClusterExportOptions {
  readonly study?: string;
  readonly set?: readonly string[];
  readonly only?: readonly string[];
  readonly world?: number;
  readonly nats?: string;
  readonly withNats?: boolean;
  readonly out: string;
  readonly name?: string;
  readonly image?: string;
  readonly installed?: boolean;
  readonly clone?: string;
  readonly cpus: number;
  readonly memory: string;
  readonly time?: string;
  readonly data?: string;
  readonly dataClaim?: string;
  readonly runsClaim?: string;
  readonly storage?: string;
  readonly storageClass?: string;
  readonly secret?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

type Key = keyof ClusterExportOptions;

/** Options of one target alone. */
const only: Readonly<Record<ClusterTarget, readonly (readonly [Key, string])[]>> = {
  kubernetes: [
    ['image', '--image'],
    ['dataClaim', '--data-claim'],
    ['runsClaim', '--runs-claim'],
    ['storage', '--storage'],
    ['storageClass', '--storage-class'],
    ['secret', '--secret'],
  ],
  slurm: [
    ['time', '--time'],
    ['data', '--data'],
  ],
};

/**
 * `lmd cluster export`: writes what runs a training or a study on Kubernetes or Slurm to a folder. All of it is checked
 * before anything is written.
 */
export async function clusterExportCommand(
  target: ClusterTarget,
  source: string | undefined,
  options: ClusterExportOptions,
  terminal: Terminal,
  program: string,
): Promise<void> {
  if (options.json) keepStandardOutputClean();
  refuseUnused(target, options);
  const server = serverOf(options);
  const memoryBytes = byteCount(options.memory, '--memory');
  const clone = resolve(dirname(program), '..', '..', '..');
  const locate = target === 'slurm' ? (path: string) => options.data ?? path : mounted(options);
  const planned = await planOf(source, options, clone, locate, terminal);
  refuseUnusedData(options, planned);
  const job: ClusterJob = {
    name: nameOf(target, options, planned),
    world: planned.world,
    server,
    task: planned.task,
    data: planned.data,
    start: startOf(target, options, planned, clone),
    cpus: options.cpus,
    memoryBytes,
  };
  const folder = resolve(options.out);
  const command = commandLine(target, source, options);
  const files = target === 'slurm' ? slurm(job, options, command) : kubernetes(job, options, command);
  await writeExport(folder, files, target === 'slurm' ? slurmFiles : kubernetesFiles, options.force === true);
  report(target, folder, job, files, options, terminal);
}

function refuse(subject: string, value: unknown, message: string, remedy: string): UsageError {
  return new UsageError('INVALID_ARGUMENT', message, { subject, value, remedy });
}

function refuseUnused(target: ClusterTarget, options: ClusterExportOptions): void {
  const other: ClusterTarget = target === 'slurm' ? 'kubernetes' : 'slurm';
  for (const [key, option] of only[other]) {
    if (options[key] === undefined) continue;
    const remedy = `Leave it out: it is an option of ${other}.`;
    throw refuse(option, options[key], `${option} and ${target} cannot be combined.`, remedy);
  }
}

/** Refuses a place of data for a task that reads none from a path. */
function refuseUnusedData({ data, dataClaim }: ClusterExportOptions, planned: PlannedTask): void {
  const [option, value] = data === undefined ? ['--data-claim', dataClaim] : ['--data', data];
  if (value === undefined || planned.data !== undefined) return;
  const problem = `${option} is ${value}, but the configuration has no path of data.`;
  throw refuse(option, value, problem, 'Leave it out, or set data.folder or data.path.');
}

/** The address of the server, which is written to files that others read. */
function serverOf({ nats, withNats }: ClusterExportOptions): string | undefined {
  if ((nats === undefined) === (withNats !== true)) {
    const problem =
      nats === undefined ? 'The address of the NATS server is missing.' : '--nats and --with-nats cannot be combined.';
    throw refuse('--nats', nats, problem, 'Use --nats nats://host:4222, or --with-nats to export a server too.');
  }
  if (nats === undefined) return undefined;
  const { login } = parseAddress(nats, {});
  if (Object.keys(login).length === 0) return nats;
  throw refuse(
    '--nats',
    undefined,
    '--nats has credentials, which would be written to a file.',
    'Leave them out of the address. The README.md of the folder says where they go.',
  );
}

/** The path of data in a pod. */
const mounted =
  ({ dataClaim }: ClusterExportOptions) =>
  (path: string): string => {
    if (dataClaim === undefined) {
      throw refuse(
        '--data-claim',
        dataClaim,
        `The data are at ${path}, which pods do not have.`,
        'Copy them to a PersistentVolumeClaim, and name it with --data-claim <name>.',
      );
    }
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    return isFile ? `${dataFolder}/${basename(path)}` : dataFolder;
  };

async function planOf(
  source: string | undefined,
  options: ClusterExportOptions,
  clone: string,
  locate: (path: string) => string,
  terminal: Terminal,
): Promise<PlannedTask> {
  const { study, set, only: optimizers } = options;
  if ((source === undefined) === (study === undefined)) {
    const problem =
      study === undefined ? 'The configuration is missing.' : `${source} and --study ${study} cannot be combined.`;
    const remedy = 'Use a JSON file or a preset for a training, or --study <file> for a study.';
    throw refuse('configuration', source, problem, remedy);
  }
  if (source !== undefined) {
    return planTraining(source, options, locate, (text) => writeNotes({ notes: [text] }, terminal));
  }
  const unused = set !== undefined ? '--set' : optimizers !== undefined ? '--only' : undefined;
  if (unused !== undefined) {
    throw refuse(unused, undefined, `${unused} and --study cannot be combined.`, 'Change the file of the study.');
  }
  return planStudyTask(study!, { world: options.world, clone }, locate);
}

/** Longest name: what is appended to it for a pod of the server must stay a DNS label, of at most 63 characters. */
const longestName = 40;

function nameOf(target: ClusterTarget, { name }: ClusterExportOptions, { name: own }: PlannedTask): string {
  if (name === undefined && target === 'slurm') return own;
  // A run's name may have what a DNS label may not.
  const label =
    name ??
    own
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '-')
      .slice(0, longestName)
      .replace(/-+$/, '');
  return dnsLabel('--name', label, longestName);
}

function dnsLabel(option: string, text: string, longest: number): string {
  if (/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(text) && text.length <= longest) return text;
  throw refuse(
    option,
    text,
    `${option} ${JSON.stringify(text)} is not a DNS label.`,
    `Use at most ${longest} lower-case letters, digits and dashes, from a letter to a letter or digit.`,
  );
}

function startOf(
  target: ClusterTarget,
  { installed, clone: given, image }: ClusterExportOptions,
  { task, needs }: PlannedTask,
  clone: string,
): StartOfPrograms {
  if (task.kind === 'training') {
    if (given !== undefined) {
      throw refuse('--clone', given, '--clone needs --study.', 'Leave it out: a training uses the published command.');
    }
    return installed ? { kind: 'installed' } : { kind: 'npx', packages: neededPackages(needs) };
  }
  if (installed) {
    throw refuse('--installed', true, '--installed and --study cannot be combined.', 'Use --clone <folder>.');
  }
  if (target === 'kubernetes' && image === undefined) {
    throw refuse(
      '--image',
      image,
      '--study needs an image with a clone of the repository.',
      'Build one as docs/distributed.md shows, and name it with --image <image>.',
    );
  }
  return { kind: 'clone', folder: given ?? (target === 'slurm' ? clone : '/lmd') };
}

const usualTime = '1-00:00:00';

function slurm(job: ClusterJob, { time = usualTime }: ClusterExportOptions, command: string): ExportedFiles {
  checkTimeLimit(time);
  return slurmExport(job, { time, command });
}

/** A repository with its registry, tag and digest, as in the documentation of container images. */
const imageName =
  /^[a-zA-Z0-9][\w.-]*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/;
const usualStorage = '10GiB';

function kubernetes(job: ClusterJob, options: ClusterExportOptions, command: string): ExportedFiles {
  const { image = usualImage, secret = `${job.name}-nats`, storage = usualStorage } = options;
  const { storageClass, runsClaim, dataClaim } = options;
  if (!imageName.test(image)) {
    throw refuse('--image', image, `--image ${image} is not the name of an image.`, 'Use one such as node:22-slim.');
  }
  const named = (option: string, name: string | undefined) => name && dnsLabel(option, name, 63);
  return kubernetesExport(job, {
    image,
    secret: dnsLabel('--secret', secret, 63),
    storageBytes: byteCount(storage, '--storage'),
    storageClass: named('--storage-class', storageClass),
    runsClaim: named('--runs-claim', runsClaim),
    dataClaim: job.data === undefined ? undefined : named('--data-claim', dataClaim),
    command,
  });
}

/** The command that was given, for the page of the folder. */
function commandLine(target: ClusterTarget, source: string | undefined, options: ClusterExportOptions): string {
  const { json: _, force: __, ...given } = options;
  const words = Object.entries(given).flatMap(([key, value]) => {
    const option = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [option] : [option, ...[value].flat().map(String)];
  });
  return ['lmd', 'cluster', 'export', target, ...(source === undefined ? [] : [source]), ...words]
    .map(shellWord)
    .join(' ');
}

function report(
  target: ClusterTarget,
  folder: string,
  { name, world, task, start }: ClusterJob,
  files: ExportedFiles,
  { out, json }: ClusterExportOptions,
  terminal: Terminal,
): void {
  if (json) {
    terminal.out.write(
      jsonLine({
        type: 'clusterExported',
        target,
        name,
        world,
        task: task.kind,
        start,
        folder,
        files: Object.keys(files),
      }),
    );
    return;
  }
  const written = Object.keys(files).map((file) => join(out, file));
  terminal.out.write(`${terminal.colours.green('wrote')} ${written.join('\n      ')}\n`);
  terminal.out.write(`${join(out, 'README.md')} says how to run it.\n`);
}
