import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { ConfigMap, PersistentVolumeClaim, Pod, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { version } from '../package.json';
import { exported, findIn, type Manifest, manifestsIn } from './exported.js';
import { lmd, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const server = ['--nats', 'nats://server:4222'];

const models: Readonly<Record<string, new (manifest: Manifest) => { validate(): void }>> = {
  'batch/v1 Job': Job,
  'apps/v1 StatefulSet': StatefulSet,
  'v1 ConfigMap': ConfigMap,
  'v1 PersistentVolumeClaim': PersistentVolumeClaim,
  'v1 Pod': Pod,
  'v1 Service': Service,
};

function validate(manifest: Manifest): void {
  const Model = models[`${manifest.apiVersion} ${manifest.kind}`];
  if (Model === undefined) throw new Error(`no schema of ${manifest.apiVersion} ${manifest.kind}`);
  new Model(manifest).validate();
}

describe('lmd cluster export kubernetes', () => {
  it.each([
    ['a server of its own', ['--with-nats', '--world', '4', '--storage', '20GB', '--storage-class', 'nfs']],
    ['given claims', [...server, '--world', '1', '--runs-claim', 'shared', '--installed', '--image', 'a.b/c:1']],
  ])('writes manifests of their schemas, with %s', async (_, words) => {
    const out = await exported(folder, 'kubernetes', ...words);
    const manifests = manifestsIn(out);
    for (const manifest of manifests) validate(manifest);
    const kinds = manifests.map(({ kind }) => kind).sort();
    const own = ['PersistentVolumeClaim', 'Pod', 'Service', 'StatefulSet'];
    expect(kinds).toEqual(['ConfigMap', 'Job', ...(words.includes('--with-nats') ? own : ['Pod'])]);
  });

  it('is checked against schemas that refuse other values', async () => {
    const job = findIn(manifestsIn(await exported(folder, 'kubernetes', ...server, '--world', '2')), 'Job');
    expect(() => validate({ ...job, spec: { ...job.spec, parallelism: '2' } })).toThrow('parallelism');
    expect(() => validate({ ...job, spec: { ...job.spec, completionMode: 'Numbered' } })).toThrow('completionMode');
    expect(() => validate({ ...job, spec: { parallelism: 2 } })).toThrow('template');
  });

  it('names what exists: the configuration, claims, the server', async () => {
    const out = await exported(
      folder,
      'kubernetes',
      '--with-nats',
      '--world',
      '4',
      '--cpus',
      '2',
      '--memory',
      '1500MB',
    );
    const manifests = manifestsIn(out);
    const job = findIn(manifests, 'Job');
    expect(job.spec).toMatchObject({ completionMode: 'Indexed', completions: 4, parallelism: 4 });
    const { volumes, containers, restartPolicy } = job.spec.template.spec;
    expect(restartPolicy).toBe('Never');
    expect(containers[0].resources.requests).toEqual({ cpu: '2', memory: '1500000000' });
    expect(containers[0].resources.limits).toEqual(containers[0].resources.requests);
    expect(containers[0].image).toBe('node:22-slim');
    const configMap = findIn(manifests, 'ConfigMap');
    expect(volumes[0].configMap.name).toBe(configMap.metadata.name);
    expect(volumes[1].persistentVolumeClaim.claimName).toBe(findIn(manifests, 'PersistentVolumeClaim').metadata.name);
    const service = findIn(manifests, 'Service');
    expect(configMap.data['run.sh']).toContain(`server=nats://${service.metadata.name}:4222`);
    expect(configMap.data['run.sh']).toContain(`--package=@lmd/cli@${version} `);
    const set = findIn(manifests, 'StatefulSet');
    expect(service.spec.selector).toEqual(set.spec.template.metadata.labels);
    expect(set.spec.volumeClaimTemplates[0].spec.accessModes).toEqual(['ReadWriteOnce']);
    expect(JSON.parse(configMap.data['configuration.json'])).toMatchObject({
      name: 'smoke',
      // Pods wait for room for more than the usual 10 minutes.
      distributed: { exchange: 'averages', workers: 4, timeoutMs: 86_400_000 },
    });
  });

  it('has credentials in a Secret by its name alone', async () => {
    const out = await exported(folder, 'kubernetes', ...server, '--world', '2', '--secret', 'mine');
    const { containers, volumes } = findIn(manifestsIn(out), 'Job').spec.template.spec;
    expect(containers[0].env).toContainEqual({
      name: 'NATS_TOKEN',
      valueFrom: { secretKeyRef: { name: 'mine', key: 'NATS_TOKEN', optional: true } },
    });
    expect(volumes).toContainEqual({ name: 'credentials', secret: { secretName: 'mine', defaultMode: 0o440 } });
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('kubectl create secret generic mine ');
  });

  it('reads data from a claim', async () => {
    writeFileSync(join(folder, 'book.txt'), 'To be, or not to be: that is the question. '.repeat(60));
    const words = ['book.txt', '--set', 'steps=20', '--world', '2', '--data-claim', 'books', ...server];
    const out = join(folder, 'book-job');
    const run = await lmd(['cluster', 'export', 'kubernetes', ...words, '--out', out], folder);
    expect(run).toMatchObject({ code: 0 });
    const manifests = manifestsIn(out);
    for (const manifest of manifests) validate(manifest);
    const { data } = findIn(manifests, 'ConfigMap');
    expect(JSON.parse(data['configuration.json']).data.path).toBe('/data/book.txt');
    expect(data['run.sh']).toContain('--data /data/book.txt --work');
    expect(findIn(manifests, 'Job').spec.template.spec.volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'books', readOnly: true },
    });
  });
});

const slurmTime = /^(\d+(:\d\d?){0,2}|\d+-\d+(:\d\d?){0,2})$/;
/** Options of sbatch and their values, from its manual page (Slurm 24.11). */
const directives: Readonly<Record<string, RegExp>> = {
  'job-name': /^[\w-]+$/,
  array: /^\d+-\d+$/,
  ntasks: /^[1-9]\d*$/,
  'cpus-per-task': /^[1-9]\d*$/,
  mem: /^[1-9]\d*[KMGT]$/,
  time: slurmTime,
  requeue: /^$/,
  'open-mode': /^(append|truncate)$/,
  signal: /^([BR]:)?(\d+|[A-Z]+\d?)(@\d+)?$/,
  output: /^(%[xAaj]|[\w.-])+$/,
};

describe('lmd cluster export slurm', () => {
  it('writes options that sbatch knows', async () => {
    const words = ['--world', '4', '--with-nats', '--time', '36:00:00', '--memory', '3GB', '--cpus', '8'];
    const out = await exported(folder, 'slurm', ...words);
    for (const script of ['train.sbatch', 'server.sbatch']) {
      const lines = readFileSync(join(out, script), 'utf8').split('\n');
      expect(lines[0]).toBe('#!/bin/bash');
      const given = lines.filter((line) => line.startsWith('#SBATCH'));
      // sbatch reads no option after the first command.
      expect(given).toEqual(lines.slice(1, 1 + given.length));
      for (const line of given) {
        const [, name = '', value = ''] = /^#SBATCH --([a-z-]+)(?:=(.+))?$/.exec(line) ?? [];
        expect(directives[name], line).toBeDefined();
        expect(value, line).toMatch(directives[name]!);
      }
    }
    const script = readFileSync(join(out, 'train.sbatch'), 'utf8');
    for (const line of ['array=0-3', 'cpus-per-task=8', 'mem=2862M', 'time=36:00:00', 'requeue']) {
      expect(script).toContain(`#SBATCH --${line}\n`);
    }
  });

  it('writes the same bytes again', async () => {
    const [first, second] = [
      await exported(folder, 'slurm', '--world', '2', ...server),
      await exported(folder, 'slurm', '--world', '2', ...server),
    ];
    for (const name of ['train.sbatch', 'configuration.json']) {
      const [one, other] = [first, second].map((out) => readFileSync(join(out, name), 'utf8').replaceAll(out, ''));
      expect(one).toBe(other);
    }
  });
});

describe('an export', () => {
  it('stays as it is without --force, and loses no other file with it', async () => {
    const out = await exported(folder, 'slurm', '--world', '2', '--with-nats');
    writeFileSync(join(out, 'token'), 'mine');
    const words = ['cluster', 'export', 'slurm', 'smoke', '--world', '4', ...server, '--out', out];
    const refused = await lmd(words, folder);
    expect(refused.code).toBe(2);
    expect(refused.stderr.replace(/\s+/g, ' ')).toContain('overwrite its files with --force');
    expect(readFileSync(join(out, 'train.sbatch'), 'utf8')).toContain('--array=0-1\n');
    expect(await lmd([...words, '--force'], folder)).toMatchObject({ code: 0 });
    expect(readFileSync(join(out, 'train.sbatch'), 'utf8')).toContain('--array=0-3\n');
    expect(readdirSync(out).sort()).toEqual(['.gitignore', 'README.md', 'configuration.json', 'token', 'train.sbatch']);
  });

  it('does not replace what is none', async () => {
    const out = join(folder, 'project');
    mkdirSync(out);
    writeFileSync(join(out, 'README.md'), 'A project.\n');
    const run = await lmd(
      ['cluster', 'export', 'slurm', 'smoke', '--world', '2', ...server, '--out', out, '--force'],
      folder,
    );
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('is no export');
    expect(readdirSync(out)).toEqual(['README.md']);
  });

  it('reports as JSON', async () => {
    const words = ['cluster', 'export', 'slurm', 'smoke', '--world', '2', ...server, '--out', 'json-job', '--json'];
    const { stdout } = await lmd(words, folder);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ type: 'clusterExported', target: 'slurm', name: 'smoke', world: 2, task: 'training' },
      start: { kind: 'npx', packages: [`@lmd/cli@${version}`] },
      files: ['README.md', 'train.sbatch', 'configuration.json', '.gitignore'],
    });
  });

  const two = ['--world', '2'];
  it.each([
    ['mesos', ['smoke', ...two, ...server], 'Allowed choices are kubernetes, slurm.'],
    ['slurm', [...two, ...server], 'The configuration is missing. Use a JSON file'],
    ['slurm', ['missing.json', ...two, ...server], 'missing.json is neither a preset nor a file.'],
    ['slurm', ['smoke', '--world', '0', ...server], "argument '0' is invalid."],
    ['slurm', ['smoke', '--world', '2.5', ...server], "argument '2.5' is invalid."],
    ['slurm', ['smoke', '--world', '3', ...server], 'batchSize is 16, but distributed.workers is 3.'],
    ['slurm', ['smoke', ...server], 'The number of workers is missing. Give it with --world <count>'],
    [
      'slurm',
      ['smoke', ...two],
      'The address of the NATS server is missing. Use --nats nats://host:4222, or --with-nats',
    ],
    ['slurm', ['smoke', ...two, ...server, '--with-nats'], '--nats and --with-nats cannot be combined.'],
    ['slurm', ['smoke', ...two, '--nats', 'http://host'], 'http://host is not the address of a server.'],
    ['slurm', ['smoke', ...two, '--nats', 'nats://secret@host'], '--nats has credentials'],
    ['slurm', ['smoke', ...two, ...server, '--memory', '8GX'], '--memory 8GX is not allowed. Use a number of bytes'],
    ['slurm', ['smoke', ...two, ...server, '--memory', '8G'], '--memory 8G is not allowed.'],
    ['slurm', ['smoke', ...two, ...server, '--cpus', '0'], "argument '0' is invalid."],
    ['slurm', ['smoke', ...two, ...server, '--time', 'tomorrow'], '--time tomorrow is not a time limit of Slurm.'],
    ['slurm', ['smoke', ...two, ...server, '--time', '4'], '--time 4 is too short'],
    ['slurm', ['smoke', ...two, ...server, '--time', '4:59'], '--time 4:59 is too short'],
    ['slurm', ['smoke', ...two, ...server, '--time', '0:4:59'], '--time 0:4:59 is too short'],
    ['slurm', ['smoke', ...two, ...server, '--time', '0-0:4'], '--time 0-0:4 is too short'],
    ['slurm', ['smoke', ...two, ...server, '--data', '/d'], '--data is /d, but the configuration has no path of data.'],
    [
      'kubernetes',
      ['smoke', ...two, ...server, '--data-claim', 'd'],
      '--data-claim is d, but the configuration has no',
    ],
    [
      'slurm',
      ['smoke', '--world', '5000', ...server],
      "argument '5000' is invalid. Use an integer at least 1 and at most 4096.",
    ],
    ['slurm', ['smoke', ...two, ...server, '--time', '4'], 'Use at least 5 minutes.'],
    ['slurm', ['smoke', ...two, ...server, '--time', '0'], '--time 0 is not a time limit of Slurm.'],
    ['slurm', ['smoke', ...two, ...server, '--name', 'My job'], '--name "My job" is not a DNS label.'],
    ['slurm', ['smoke', ...two, ...server, '--image', 'x'], '--image and slurm cannot be combined.'],
    ['slurm', ['smoke', ...two, ...server, '--study', 'a.json'], 'smoke and --study a.json cannot be combined.'],
    ['slurm', ['smoke', ...two, ...server, '--clone', 'x'], '--clone needs --study.'],
    ['slurm', ['smoke', ...two, ...server, '--set', 'backend=webgpu'], 'needs an engine that npx does not install.'],
    ['kubernetes', ['smoke', ...two, ...server, '--name', '-a'], '--name "-a" is not a DNS label.'],
    ['kubernetes', ['smoke', ...two, ...server, '--name', 'a'.repeat(41)], 'Use at most 40 lower-case letters'],
    ['kubernetes', ['smoke', ...two, ...server, '--secret', 'S_1'], '--secret "S_1" is not a DNS label.'],
    ['kubernetes', ['smoke', ...two, ...server, '--image', 'a b'], '--image a b is not the name of an image.'],
    ['kubernetes', ['smoke', ...two, ...server, '--storage', '1TiX'], '--storage 1TiX is not allowed.'],
    ['kubernetes', ['smoke', ...two, ...server, '--time', '10'], '--time and kubernetes cannot be combined.'],
    ['kubernetes', ['tale.txt', ...two, ...server], 'which pods do not have. Copy them to a PersistentVolumeClaim'],
  ])('of %s refuses %j', async (target, words, message) => {
    writeFileSync(join(folder, 'tale.txt'), 'Once upon a time. '.repeat(200));
    const { code, stderr } = await lmd(['cluster', 'export', target, ...words, '--out', 'refused'], folder);
    expect(stderr.replace(/\s+/g, ' ')).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});
