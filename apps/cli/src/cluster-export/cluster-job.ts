/** What runs on a cluster, and what it needs there. */
export interface ClusterJob {
  /** Name of the job, and the beginning of the names of what belongs to it. A DNS label for Kubernetes. */
  readonly name: string;
  /** Number of processes: of a training all workers, of a study all workers, the first of which also runs the study. */
  readonly world: number;
  /** Address of the NATS server, without credentials; undefined: one is exported too. */
  readonly server: string | undefined;
  readonly task: ClusterTask;
  /** Path of the data on the nodes; undefined where nothing is read from a path. */
  readonly data: string | undefined;
  readonly start: StartOfPrograms;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** The file that says what is computed, as it is exported. */
export interface ClusterTask {
  readonly kind: 'training' | 'study';
  readonly file: 'configuration.json' | 'study.json';
  readonly text: string;
}

/** How a node gets the programs. */
export type StartOfPrograms =
  /** By npx, from these packages of npm, the command's first. */
  | { readonly kind: 'npx'; readonly packages: readonly string[] }
  /** `lmd` is in the PATH of the image or the node. */
  | { readonly kind: 'installed' }
  /** From a clone of the repository in this folder of the image or the node. */
  | { readonly kind: 'clone'; readonly folder: string };

/** Files of a folder by their names, which may have a folder. */
export type ExportedFiles = Readonly<Record<string, string>>;

/** Time in seconds that a process has to finish its step and save, before it is killed. */
export const graceSeconds = 120;
