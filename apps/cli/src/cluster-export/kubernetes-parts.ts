import type { IContainer, IPersistentVolumeClaim, IPodSpec } from 'kubernetes-models/v1';
import type { ClusterJob } from './cluster-job.js';

export interface KubernetesOptions {
  readonly image: string;
  /** Secret with the credentials, whose keys are names of environment variables. */
  readonly secret: string;
  /** Size in bytes of each claim that is exported. */
  readonly storageBytes: number;
  /** Storage class of these claims; undefined: the cluster's default. */
  readonly storageClass: string | undefined;
  /** Claim for the run folder; undefined: one is exported. */
  readonly runsClaim: string | undefined;
  /** Claim with the data, which is mounted at `dataFolder`. */
  readonly dataClaim: string | undefined;
  /** Command line that repeats the export. */
  readonly command: string;
}

/** Where a claim with data is mounted. */
export const dataFolder = '/data';

/** The user `node` of the image of Node. Others can write to the claims by their group. */
const user = 1000;

export const portOfNats = 4222;
export const natsOf = (name: string) => `${name}-nats`;

export const labelsOf = (name: string, component: string) => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/managed-by': 'lmd',
});

export const claimNameOf = ({ name }: ClusterJob, { runsClaim }: KubernetesOptions) => runsClaim ?? `${name}-runs`;

/** What the restricted level of the Pod Security Standards asks for. */
export const restrictedPod = {
  automountServiceAccountToken: false,
  // Variables such as MY_NATS_PORT of other services are nothing for a training.
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  },
} as const satisfies Partial<IPodSpec>;

export const restrictedContainer = {
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
} satisfies Partial<IContainer>;

/** The numbers of bytes as Kubernetes writes them: `8Gi`. */
export function quantity(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

/** A claim of a volume. */
export function claimOf(
  claim: string,
  mode: 'ReadWriteMany' | 'ReadWriteOnce',
  { name, task }: ClusterJob,
  { storageBytes, storageClass }: KubernetesOptions,
): IPersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim, labels: labelsOf(name, task.kind) },
    spec: {
      accessModes: [mode],
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      resources: { requests: { storage: quantity(storageBytes) } },
    },
  };
}
