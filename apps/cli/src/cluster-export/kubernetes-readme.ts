import type { ClusterJob } from './cluster-job.js';
import { claimNameOf, dataFolder, type KubernetesOptions } from './kubernetes-parts.js';
import { readmePage, summaryOf, writtenBy } from './readme-page.js';

/** The page of a folder for Kubernetes. */
export function kubernetesReadme(job: ClusterJob, options: KubernetesOptions): string {
  const { name, server, start } = job;
  const { secret, runsClaim, dataClaim, image, command } = options;
  const isOwn = server === undefined;
  const token = isOwn ? '"$(openssl rand -hex 16)"' : '<token>';
  const first = `batch.kubernetes.io/job-name=${name},batch.kubernetes.io/job-completion-index=0`;
  return readmePage([
    `# ${name} on Kubernetes`,
    '',
    summaryOf(job, 'pod'),
    'It needs Kubernetes 1.31 or later. Run these commands in this folder:',
    '',
    `    kubectl create secret generic ${secret} --from-literal=NATS_TOKEN=${token}`,
    '    kubectl apply -f .',
    `    kubectl logs --follow --tail=-1 --container=lmd --selector=${first}`,
    '',
    `- **Progress.** \`kubectl get pods --selector=app.kubernetes.io/name=${name}\` lists the pods. A pod that is lost is ` +
      'replaced, and pod 0 resumes from its newest checkpoint. When pod 0 has ended, Kubernetes ends the others.',
    `- **Results** are in the claim \`${claimNameOf(job, options)}\`:`,
    '',
    '      kubectl apply -f results/pod.yaml',
    `      kubectl wait --for=condition=Ready pod/${name}-results`,
    `      kubectl cp ${name}-results:/runs/${name} ${name}`,
    '      kubectl delete -f results/pod.yaml',
    '',
    ...(runsClaim === undefined
      ? [
          '- **Storage.** All pods mount that claim, so it is ReadWriteMany. Where the default storage class has no such ' +
            'volumes, export with `--storage-class`, or with `--runs-claim` for a claim of yours. On a cluster of one node, ' +
            'ReadWriteOnce in `storage.yaml` is enough.',
        ]
      : []),
    `- **Credentials** are in the Secret \`${secret}\`, and nowhere else. ` +
      (isOwn
        ? 'The server takes its key `NATS_TOKEN`.'
        : 'Its keys are `NATS_TOKEN`, or `NATS_USER` and `NATS_PASSWORD`, and for files (`--from-file`) `NATS_CREDS`, ' +
          '`NATS_CA`, `NATS_CERT` and `NATS_KEY`. For a server without credentials, create it without keys.'),
    `- **Programs.** ${programs(start, image)}`,
    ...(dataClaim === undefined ? [] : [`- **Data** are those of the claim \`${dataClaim}\`, at \`${dataFolder}\`.`]),
    `- **The end.** \`kubectl delete job ${name}\` stops it, and \`kubectl apply -f .\` then resumes the run. ` +
      `\`kubectl delete -f .\` deletes everything${runsClaim === undefined ? ', the results too' : ' but the results'}.`,
    '',
    writtenBy(command),
  ]);
}

function programs(start: ClusterJob['start'], image: string): string {
  if (start.kind === 'npx') {
    return (
      `Each pod installs ${start.packages.join(' and ')} by \`npx\` in the image \`${image}\`, which needs the npm ` +
      'registry. For an image that has the command, export with `--image <image> --installed`.'
    );
  }
  if (start.kind === 'installed') return `The image \`${image}\` has \`lmd\` in the PATH.`;
  return `The image \`${image}\` has a clone of the repository in \`${start.folder}\`.`;
}
