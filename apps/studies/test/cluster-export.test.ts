import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../scripts/nats-server.mjs';
import { smokeStudy } from './smoke.js';

const lmd = join(dirname(createRequire(import.meta.url).resolve('@lmd/cli/package.json')), 'dist', 'bin.js');
const clone = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lmd-cluster-'));
const file = join(folder, 'smoke.json');
writeFileSync(file, JSON.stringify({ ...smokeStudy, order: [{ part: 'search' }] }));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const exporting = (target: string, ...words: string[]) =>
  spawnSync(process.execPath, [lmd, 'cluster', 'export', target, '--world', '2', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });

const server = ['--nats', 'nats://server:4222'];

describe('lmd cluster export of a study', () => {
  // Slurm has no nodes with Windows, whose paths would be quoted.
  it.skipIf(process.platform === 'win32')('runs the study and a worker of this clone in the first task', () => {
    const out = join(folder, 'slurm');
    expect(exporting('slurm', '--study', file, ...server, '--out', out)).toMatchObject({ status: 0, stderr: '' });
    const script = readFileSync(join(out, 'study.sbatch'), 'utf8');
    const program = (name: string) => `node ${join(clone, 'apps', name, 'dist', 'bin.js')}`;
    expect(script).toContain(`  start ${program('studies')} study.json --on "$server" --out run\n`);
    expect(script).toContain(`  start ${program('cli')} worker "$server" --threads 4 --work "work/$index"\n`);
    expect(JSON.parse(readFileSync(join(out, 'study.json'), 'utf8'))).toMatchObject({ name: 'smoke' });
  });

  it('needs an image with a clone in Kubernetes', () => {
    const words = ['--study', file, ...server, '--out', join(folder, 'kubernetes')];
    const { status, stderr } = exporting('kubernetes', ...words);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--study needs an image with a clone')]);
    expect(exporting('kubernetes', ...words, '--image', 'lmd:1')).toMatchObject({ status: 0 });
    const manifest = readFileSync(join(folder, 'kubernetes', 'configuration.yaml'), 'utf8');
    expect(manifest).toContain('start node /lmd/apps/studies/dist/bin.js /job/study.json --on "$server"');
  });

  it('says what is wrong with a study', () => {
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, JSON.stringify({ ...smokeStudy, formats: ['fp31'] }));
    const { status, stderr } = exporting('slurm', '--study', wrong, ...server, '--out', join(folder, 'wrong'));
    expect([status, stderr]).toEqual([2, expect.stringMatching(/formats/)]);
    expect(existsSync(join(folder, 'wrong'))).toBe(false);
    writeFileSync(wrong, '{');
    const broken = exporting('slurm', '--study', wrong, ...server, '--out', join(folder, 'wrong'));
    expect([broken.status, broken.stderr.replace(/\s+/g, ' ')]).toEqual([
      2,
      expect.stringContaining('Correct the file, or start from a study of apps/studies/studies.'),
    ]);
  });

  const natsServer = findNatsServer();
  const isPossible = natsServer !== undefined && process.platform !== 'win32';
  it.skipIf(!isPossible)(
    `runs all trials${isPossible ? '' : `: ${howToInstall}`}`,
    async () => {
      const { url, stop } = await startNatsServer(natsServer!);
      try {
        const out = join(folder, 'run-slurm');
        expect(exporting('slurm', '--study', file, '--nats', url, '--out', out)).toMatchObject({ status: 0 });
        const cancelled = join(folder, 'cancelled');
        writeFileSync(join(folder, 'scancel'), `#!/bin/sh\necho "$1" >'${cancelled}'\n`);
        chmodSync(join(folder, 'scancel'), 0o755);
        const first = spawn('bash', [join(out, 'study.sbatch')], {
          cwd: out,
          stdio: 'ignore',
          env: {
            ...process.env,
            ...{ PATH: `${folder}:${process.env.PATH}`, SLURM_SUBMIT_DIR: out, SLURM_ARRAY_TASK_ID: '0' },
            ...{ SLURM_ARRAY_JOB_ID: '7', SLURM_JOB_ID: '8' },
          },
        });
        expect(await new Promise((resolve) => first.on('close', resolve))).toBe(0);
        expect(readFileSync(cancelled, 'utf8')).toBe('7_[1-1]\n');
        const records = readFileSync(join(out, 'run', 'ledger.jsonl'), 'utf8')
          .trim()
          .split('\n');
        expect(records).toHaveLength(smokeStudy.optimizers.length * smokeStudy.search.trials);
      } finally {
        await stop();
      }
    },
    120_000,
  );
});
