import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IService } from 'kubernetes-models/v1';
import type { ClusterJob } from './cluster-job.js';
import {
  claimOf,
  type KubernetesOptions,
  labelsOf,
  natsOf,
  portOfNats,
  restrictedContainer,
  restrictedPod,
} from './kubernetes-parts.js';

/** The version that continuous integration tests. */
const image = 'nats:2.15-alpine';
const monitoring = 8222;

/** A NATS server with JetStream, whose files outlive its pod, and its address within the cluster. */
export function natsManifests(job: ClusterJob, options: KubernetesOptions): readonly [IService, IStatefulSet] {
  const { secret } = options;
  const name = natsOf(job.name);
  const labels = labelsOf(job.name, 'nats');
  const claim = claimOf('data', 'ReadWriteOnce', job, options);
  const resources = { cpu: '1', memory: '2Gi' };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: {
        selector: labels,
        ports: [{ name: 'client', port: portOfNats, targetPort: 'client' }],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, labels },
      spec: {
        serviceName: name,
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...restrictedPod,
            containers: [
              {
                name: 'nats',
                image,
                args: [
                  ...['--jetstream', '--store_dir', '/data', '--port', String(portOfNats)],
                  ...['--http_port', String(monitoring), '--auth', '$(NATS_TOKEN)'],
                ],
                env: [{ name: 'NATS_TOKEN', valueFrom: { secretKeyRef: { name: secret, key: 'NATS_TOKEN' } } }],
                ports: [
                  { name: 'client', containerPort: portOfNats },
                  { name: 'monitoring', containerPort: monitoring },
                ],
                readinessProbe: { httpGet: { path: '/healthz', port: 'monitoring' }, periodSeconds: 5 },
                livenessProbe: {
                  httpGet: { path: '/healthz?js-server-only=true', port: 'monitoring' },
                  periodSeconds: 30,
                },
                resources: { requests: resources, limits: resources },
                ...restrictedContainer,
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
              },
            ],
          },
        },
        volumeClaimTemplates: [claim],
      },
    },
  ];
}
