import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { refuseFiles } from '../cluster/needed-files.js';
import { requireWorkers, withWorkers } from '../cluster/workers-option.js';
import { readJsonFile } from '../configuration/load.js';
import { resolveConfiguration } from '../configuration/resolve.js';
import type { Configuration } from '../configuration/schema.js';
import { selectOptimizers } from '../configuration/select-optimizers.js';
import { pathOf } from '../data/index.js';
import { UsageError } from '../errors.js';
import { configurationFrom } from '../own-data/configuration-from.js';
import type { ClusterTask } from './cluster-job.js';

/** A task, and what is known of it. */
export interface PlannedTask {
  readonly task: ClusterTask;
  /** Name of its file or configuration. */
  readonly name: string;
  readonly world: number;
  /** Path of its data on the nodes; undefined where nothing is read from a path. */
  readonly data: string | undefined;
  /** Kind of data without a path, and backend, which may need packages. */
  readonly needs: { readonly data: unknown; readonly backend: unknown };
}

interface TrainingOptions {
  readonly set?: readonly string[];
  readonly only?: readonly string[];
  readonly world?: number;
}

/** Gives the path on the nodes of data that are at a path of this machine. */
type Locate = (path: string) => string;

/** Workers of a cluster start when there is room, so the first waits longer than the 10 minutes of other networks. */
const queueMs = 24 * 3600 * 1000;
const usualMs = 600_000;

/**
 * A training, checked as `lmd train` checks it, with the data of this machine.
 *
 * @throws UsageError as `lmd train`; LmdError `UNSUPPORTED` for files that other machines do not have.
 */
export async function planTraining(
  source: string,
  { set, only, world }: TrainingOptions,
  locate: Locate,
  note: (text: string) => void,
): Promise<PlannedTask> {
  const { configuration: complete } = await configurationFrom(source, set);
  const given = withWorkers(selectOptimizers(complete, only), world === undefined ? {} : { world });
  requireWorkers(given);
  const checked = await resolveConfiguration(given, source, note);
  refuseFiles(checked, source, 'Train where they are, with lmd train and lmd worker.');
  const own = pathOf(checked.data);
  const data = own?.path === undefined ? undefined : locate(own.path);
  const { distributed } = checked;
  const configuration: Configuration = {
    ...checked,
    ...(data === undefined ? {} : { data: { ...checked.data, [own!.key]: data } as Configuration['data'] }),
    distributed: { ...distributed!, ...(distributed!.timeoutMs === usualMs ? { timeoutMs: queueMs } : {}) },
  };
  return {
    task: { kind: 'training', file: 'configuration.json', text: `${JSON.stringify(configuration, null, 2)}\n` },
    name: configuration.name,
    world: distributed!.workers,
    data,
    needs: { data: data === undefined ? checked.data.kind : undefined, backend: checked.backend },
  };
}

interface StudyOptions {
  readonly world: number | undefined;
  /** Folder of the clone that this command runs from, if it does, with the program of the studies. */
  readonly clone: string;
}

/**
 * A study, checked by the program that runs it.
 *
 * @throws UsageError `ENGINE_MISSING` without a clone; `INVALID_ARGUMENT` for what is no study.
 */
export function planStudyTask(path: string, { world, clone }: StudyOptions, locate: Locate): PlannedTask {
  if (world === undefined) {
    throw new UsageError('INVALID_ARGUMENT', 'The number of workers is missing.', {
      subject: '--world',
      remedy: 'Give it with --world <count>.',
    });
  }
  const study = readJsonFile(path, correctStudy) as StudyFile;
  const program = join(clone, 'apps', 'studies', 'dist', 'bin.js');
  if (!existsSync(program)) {
    throw new UsageError('ENGINE_MISSING', '--study needs a clone of the repository, which has the studies.', {
      subject: '--study',
      value: path,
      remedy: 'Run npm run lmd -- cluster export in a clone that has been set up, or export a training.',
    });
  }
  const { kind, folder, path: file } = study.configuration?.data ?? {};
  const own = typeof folder === 'string' ? folder : typeof file === 'string' ? file : undefined;
  const data = own === undefined ? undefined : locate(resolve(own));
  // Data of the nodes may be at the same path here, as on a node where people log in.
  const known = data !== undefined && existsSync(data) ? ['--data', data] : [];
  const check = spawnSync(process.execPath, [program, resolve(path), '--dry-run', ...known], { encoding: 'utf8' });
  if (check.status !== 0) {
    throw new UsageError('INVALID_ARGUMENT', check.stderr.trim().replace(/\.?$/, '.'), {
      subject: '--study',
      value: path,
      remedy: `npm run study -- ${path} --dry-run checks it.`,
    });
  }
  return {
    task: { kind: 'study', file: 'study.json', text: `${JSON.stringify(study, null, 2)}\n` },
    name: study.name,
    world,
    data,
    needs: { data: own === undefined ? kind : undefined, backend: study.configuration?.backend },
  };
}

const correctStudy = 'Correct the file, or start from a study of apps/studies/studies.';

/** What is read of a study that its own program has checked. */
interface StudyFile {
  readonly name: string;
  readonly configuration?: {
    readonly backend?: unknown;
    readonly data?: { readonly kind?: unknown; readonly folder?: unknown; readonly path?: unknown };
  };
}
