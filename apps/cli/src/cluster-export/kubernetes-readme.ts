import type { ClusterJob } from './cluster-job.js';
import { claimNameOf, dataFolder, type KubernetesOptions } from './kubernetes-parts.js';

/** The page of a folder for Kubernetes. */
export function kubernetesReadme(job: ClusterJob, options: KubernetesOptions): string {
  const { name, world, server, task, start } = job;
  const { secret, runsClaim, dataClaim, image, command } = options;
  const pods = world === 1 ? 'one pod' : `${world} pods`;
  const isTraining = task.kind === 'training';
  const token = server === undefined ? '"$(openssl rand -hex 16)"' : '<token>';
  const first = `--selector=batch.kubernetes.io/job-name=${name},batch.kubernetes.io/job-completion-index=0`;
  return `# ${name} on Kubernetes

${isTraining ? `A training with ${pods}: pod 0 leads, the others are workers.` : `A study on ${pods}, the first of which also plans and records it.`}
It needs Kubernetes 1.31 or later. Run these in this folder:

    kubectl create secret generic ${secret} --from-literal=NATS_TOKEN=${token}
    kubectl apply -f .
    kubectl logs --follow --container=lmd ${first}

- **Progress.** \`kubectl get pods --selector=app.kubernetes.io/name=${name}\` lists the pods. The job has ended when pod 0
  has; Kubernetes then ends the others. A pod that is lost is replaced: pod 0 resumes from its newest checkpoint.
- **Results** are in the claim \`${claimNameOf(job, options)}\`:

      kubectl apply -f results/pod.yaml
      kubectl wait --for=condition=Ready pod/${name}-results
      kubectl cp ${name}-results:/runs/${name} ${name}
      kubectl delete -f results/pod.yaml
${
  runsClaim === undefined
    ? `
- **Storage.** All pods mount that claim, so it is ReadWriteMany. Where the default storage class has no such volumes,
  export with \`--storage-class\`, or with \`--runs-claim\` for a claim of yours. On a cluster of one node, ReadWriteOnce in
  \`storage.yaml\` does.
`
    : ''
}
- **Credentials** are in the Secret \`${secret}\`, and nowhere else.${
    server === undefined
      ? ' The server takes the key `NATS_TOKEN`.'
      : ` Its keys are \`NATS_TOKEN\`, \`NATS_USER\` and \`NATS_PASSWORD\`,
  or files: \`--from-file=NATS_CREDS=…\`, \`NATS_CA\`, \`NATS_CERT\`, \`NATS_KEY\`. For a server without any, create it empty.`
  }
- **Programs.** ${programs(start, image)}
${dataClaim === undefined ? '' : `- **Data** are those of the claim \`${dataClaim}\`, at \`${dataFolder}\`.\n`}- **The end.** \`kubectl delete -f .\` deletes everything${runsClaim === undefined ? ', **the results too**' : ''}; \`kubectl delete job ${name}\` keeps them, and \`kubectl
  apply -f .\` then resumes the run.

Written by \`${command.replaceAll('`', "'").replace(/[\r\n]+/g, ' ')}\`.
`;
}

function programs(start: ClusterJob['start'], image: string): string {
  if (start.kind === 'npx') {
    return `Each pod installs ${start.packages.join(' and ')} by \`npx\` in the image \`${image}\`, which needs the npm\n  registry. For an image that has the command, export with \`--image <image> --installed\`.`;
  }
  if (start.kind === 'installed') return `The image \`${image}\` has \`lmd\` in the PATH.`;
  return `The image \`${image}\` has a clone of the repository in \`${start.folder}\`.`;
}
