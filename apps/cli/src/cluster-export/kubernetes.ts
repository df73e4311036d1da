import type { IJob, IJobSpec } from 'kubernetes-models/batch/v1';
import type { IConfigMap, IContainer, IPod, IPodSpec } from 'kubernetes-models/v1';
import { stringify } from 'yaml';
import { type ClusterJob, type ExportedFiles, graceSeconds } from './cluster-job.js';
import {
  claimNameOf,
  claimOf,
  dataFolder,
  type KubernetesOptions,
  labelsOf,
  natsOf,
  portOfNats,
  quantity,
  restrictedContainer,
  restrictedPod,
} from './kubernetes-parts.js';
import { kubernetesReadme } from './kubernetes-readme.js';
import { natsManifests } from './nats-manifests.js';
import { shellWord } from './shell-word.js';
import { workScript } from './work-script.js';

/** All files that an export may write. */
export const kubernetesFiles = [
  ...['README.md', 'job.yaml', 'configuration.yaml', 'storage.yaml', 'nats.yaml', 'results/pod.yaml'],
];

const runsFolder = '/runs';
const jobFolder = '/job';
const workFolder = '/work';
const credentialsFolder = '/credentials';

/** Manifests for `kubectl apply -f <folder>`. The one of the pod that reads results is in a folder of its own. */
export function kubernetesExport(job: ClusterJob, options: KubernetesOptions): ExportedFiles {
  const { name, server } = job;
  const { runsClaim } = options;
  return {
    'README.md': kubernetesReadme(job, options),
    'job.yaml': yaml(jobOf(job, options)),
    'configuration.yaml': yaml(configurationOf(job)),
    ...(runsClaim === undefined
      ? { 'storage.yaml': yaml(claimOf(`${name}-runs`, 'ReadWriteMany', job, options)) }
      : {}),
    ...(server === undefined ? { 'nats.yaml': natsManifests(job, options).map(yaml).join('---\n') } : {}),
    'results/pod.yaml': yaml(readerOf(job, options)),
  };
}

/** Without folding: a script is easier to read as it is. */
const yaml = (manifest: object): string => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false });

function jobOf(job: ClusterJob, options: KubernetesOptions): IJob {
  const { name, world } = job;
  const labels = labelsOf(name, job.task.kind);
  const spec: IJobSpec = {
    completionMode: 'Indexed',
    completions: world,
    parallelism: world,
    // Workers wait for more work, so the job has ended when the first pod has. Kubernetes then ends the others.
    successPolicy: { rules: [{ succeededIndexes: '0' }] },
    backoffLimit: 4 * world + 2,
    // A process starts after the one that it replaces has ended: both would write the same run.
    podReplacementPolicy: 'Failed',
    podFailurePolicy: {
      rules: [
        // The exit code of a wrong configuration, which stays wrong.
        { action: 'FailJob', onExitCodes: { containerName: 'lmd', operator: 'In', values: [2] } },
        // Drained and preempted nodes say nothing about the program.
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ],
    },
    template: { metadata: { labels }, spec: podOf(job, options) },
  };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels }, spec };
}

function podOf(job: ClusterJob, options: KubernetesOptions): IPodSpec {
  const { name, cpus, memoryBytes, data } = job;
  const { image, secret, dataClaim } = options;
  const resources = { cpu: String(cpus), memory: quantity(memoryBytes) };
  const fromSecret = (key: string) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: secret, key, optional: true } },
  });
  const container: IContainer = {
    name: 'lmd',
    image,
    command: ['/bin/sh', `${jobFolder}/run.sh`],
    workingDir: workFolder,
    env: [
      // Of npm, which writes below it.
      { name: 'HOME', value: workFolder },
      ...['NATS_TOKEN', 'NATS_USER', 'NATS_PASSWORD'].map(fromSecret),
    ],
    resources: { requests: resources, limits: resources },
    ...restrictedContainer,
    volumeMounts: [
      { name: 'job', mountPath: jobFolder, readOnly: true },
      { name: 'runs', mountPath: runsFolder },
      { name: 'work', mountPath: workFolder },
      { name: 'credentials', mountPath: credentialsFolder, readOnly: true },
      ...(data === undefined || dataClaim === undefined
        ? []
        : [{ name: 'data', mountPath: dataFolder, readOnly: true }]),
    ],
  };
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: graceSeconds,
    ...restrictedPod,
    ...(job.server === undefined ? { initContainers: [waitForNats(job, options)] } : {}),
    containers: [container],
    volumes: [
      { name: 'job', configMap: { name: `${name}-job` } },
      { name: 'runs', persistentVolumeClaim: { claimName: claimNameOf(job, options) } },
      { name: 'work', emptyDir: {} },
      { name: 'credentials', secret: { secretName: secret, defaultMode: 0o440 } },
      ...(data === undefined || dataClaim === undefined
        ? []
        : [{ name: 'data', persistentVolumeClaim: { claimName: dataClaim, readOnly: true } }]),
    ],
  };
}

/** The server of the same folder starts together with the job. */
function waitForNats({ name }: ClusterJob, { image }: KubernetesOptions): IContainer {
  const program = [
    "const connect = () => require('node:net').connect(Number(process.argv[2]), process.argv[1])",
    "  .on('connect', () => process.exit(0))",
    "  .on('error', () => setTimeout(connect, 1000));",
    'connect();',
    'setTimeout(() => process.exit(1), 300_000);',
  ].join('\n');
  const resources = { cpu: '100m', memory: '128Mi' };
  return {
    name: 'wait-for-nats',
    image,
    command: ['node', '-e', program, natsOf(name), String(portOfNats)],
    resources: { requests: resources, limits: resources },
    ...restrictedContainer,
  };
}

function configurationOf(job: ClusterJob): IConfigMap {
  const { name, task, server } = job;
  const address = server === undefined ? `nats://${natsOf(name)}:${portOfNats}` : shellWord(server);
  const script = workScript(job, {
    before: [
      'index=$JOB_COMPLETION_INDEX',
      `server=${address}`,
      'for name in NATS_CREDS NATS_CA NATS_CERT NATS_KEY; do',
      `  if [ -f "${credentialsFolder}/$name" ]; then export "$name=${credentialsFolder}/$name"; fi`,
      'done',
    ],
    traps: ["trap 'stop end' TERM INT"],
    after: [
      '# A worker that was stopped is to be replaced, which exit code 0 would prevent.',
      'if [ "$index" -ne 0 ] && [ "$code" -eq 0 ]; then code=143; fi',
    ],
    file: `${jobFolder}/${task.file}`,
    run: `${runsFolder}/${name}`,
    isReplaced: 'true',
    work: workFolder,
  });
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-job`, labels: labelsOf(name, task.kind) },
    data: { 'run.sh': `#!/bin/sh\n${script}`, [task.file]: task.text },
  };
}

/** A pod to copy results from: those of a job that has ended have no files. */
function readerOf(job: ClusterJob, options: KubernetesOptions): IPod {
  const { name } = job;
  const resources = { cpu: '100m', memory: '128Mi' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-results`, labels: labelsOf(name, 'results') },
    spec: {
      restartPolicy: 'Never',
      ...restrictedPod,
      containers: [
        {
          name: 'results',
          image: options.image,
          command: ['sleep', '3600'],
          resources: { requests: resources, limits: resources },
          ...restrictedContainer,
          volumeMounts: [{ name: 'runs', mountPath: runsFolder, readOnly: true }],
        },
      ],
      volumes: [{ name: 'runs', persistentVolumeClaim: { claimName: claimNameOf(job, options), readOnly: true } }],
    },
  };
}
