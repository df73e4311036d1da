import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall } from '../../../scripts/nats-server.mjs';
import { version } from '../package.json';
import { exported, findIn, manifestsIn } from './exported.js';
import { lmdProcess as lmd, program, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const server = ['--nats', 'nats://server:4222'];
const isWindows = process.platform === 'win32';
const has = (name: string) => !isWindows && spawnSync(name, ['--version']).status === 0;
const natsServer = findNatsServer();

/** Programs in the PATH of a script: what the cluster has, which here write their arguments to `calls`. */
function stubs(lmdProgram?: string): { readonly path: string; readonly calls: string } {
  const path = mkdtempSync(join(folder, 'path-'));
  const calls = join(path, 'calls');
  const stub = (name: string, ...lines: string[]) => {
    writeFileSync(join(path, name), ['#!/bin/sh', `printf '%s\\n' ${name} "$@" >>'${calls}'`, ...lines, ''].join('\n'));
    chmodSync(join(path, name), 0o755);
  };
  stub('npx', `echo '${lmdProgram ?? join(path, 'lmd')}'`);
  stub('scontrol');
  stub('scancel');
  // Like the command, it ends a while after SIGTERM: a worker with 0, a training that can be resumed with 130.
  const end = `sleep 1; echo saved >>'${calls}'; [ "$1" = train ] && exit 130; exit 0`;
  stub(
    'lmd',
    `trap '${end.replaceAll("'", `'\\''`)}' TERM`,
    '[ -n "$ENDS" ] && exit "$ENDS"',
    'while :; do sleep 0.1; done',
  );
  writeFileSync(calls, '');
  return { path, calls };
}

const taskOf = (task: number, more: Readonly<Record<string, string>> = {}) => ({
  ...{ SLURM_ARRAY_TASK_ID: String(task), SLURM_ARRAY_JOB_ID: '77', SLURM_JOB_ID: String(78 + task), ...more },
});

/** Runs a script as Slurm does: a copy of it elsewhere, in the folder from which it was submitted. */
function runScript(script: string, path: string, environment: Readonly<Record<string, string>>, shell = 'bash') {
  const out = dirname(script);
  const { NATS_TOKEN: _, ...inherited } = process.env;
  const child = spawn(shell, [script], {
    cwd: out,
    env: { ...inherited, SLURM_SUBMIT_DIR: out, ...environment, PATH: `${path}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const done = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
  return { child, done };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 1200) throw new Error('has not happened within a minute');
    await wait(50);
  }
}

const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split('\n');

describe.skipIf(!has('bash'))('the scripts, where there is bash,', () => {
  it('have no fault that the shells or shellcheck find', async () => {
    const own = ['--world', '4', '--with-nats'];
    const slurm = [
      await exported(folder, 'slurm', ...own),
      await exported(folder, 'slurm', '--world', '1', ...server, '--installed'),
    ];
    const scripts = slurm.flatMap((out) =>
      readdirSync(out)
        .filter((name) => name.endsWith('.sbatch'))
        .map((name) => ['bash', join(out, name)]),
    );
    const inPod = join(slurm[0]!, 'run.sh');
    const kubernetes = await exported(folder, 'kubernetes', ...own);
    writeFileSync(inPod, findIn(manifestsIn(kubernetes), 'ConfigMap').data['run.sh']);
    for (const [shell, script] of [...scripts, ['sh', inPod]]) {
      expect(spawnSync(shell!, ['-n', script!], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
      if (!has('shellcheck')) continue;
      expect(spawnSync('shellcheck', [script!], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
    }
  });

  it('start a training, resume it, and end the workers after it', async () => {
    const out = await exported(folder, 'slurm', '--world', '4', '--with-nats');
    const { path, calls } = stubs();
    writeFileSync(join(out, 'server'), 'nats://node:20001\n');
    writeFileSync(join(out, 'server.job'), '5\n');
    writeFileSync(join(out, 'token'), 'abc\n');
    const script = join(out, 'train.sbatch');
    expect(await runScript(script, path, taskOf(0, { ENDS: '0' })).done).toMatchObject({ code: 0, output: '' });
    const npx = ['npx', '--yes', `--package=@lmd/cli@${version}`, '--call', 'command -v lmd'];
    const train = ['train', 'configuration.json', '--out', 'run', '--workers', 'nats://node:20001', '--world', '4'];
    const ended = ['scancel', '77_[1-3]', 'scancel', '5'];
    expect(linesOf(calls)).toEqual([...npx, 'lmd', ...train, ...ended]);
    mkdirSync(join(out, 'run'));
    writeFileSync(join(out, 'run', 'config.json'), '{}');
    writeFileSync(join(out, 'run', 'run.lock'), '{}');
    writeFileSync(calls, '');
    const again = taskOf(0, { ENDS: '3', SLURM_RESTART_COUNT: '1' });
    expect((await runScript(script, path, again).done).code).toBe(3);
    const resume = ['train', '--resume', 'run', '--workers', 'nats://node:20001'];
    expect(linesOf(calls)).toEqual([...npx, 'lmd', ...resume, ...ended]);
    expect(existsSync(join(out, 'run', 'run.lock'))).toBe(false);
  });

  it.each([
    ['USR1', 'requeue themselves before the time limit', ['scontrol', 'requeue', '77_1'], 0],
    ['TERM', 'end without requeueing when they are cancelled or preempted', [], 0],
  ] as const)('let a worker finish on SIG%s, and %s', async (signal, _, last, code) => {
    const out = await exported(folder, 'slurm', '--world', '2', ...server);
    const { path, calls } = stubs();
    const { child, done } = runScript(join(out, 'train.sbatch'), path, taskOf(1));
    await until(() => readFileSync(calls, 'utf8').includes('--work\n'));
    await wait(200);
    child.kill(`SIG${signal}`);
    expect(await done).toMatchObject({ code });
    const worker = ['lmd', 'worker', 'nats://server:4222', '--threads', '4', '--work', 'work/1'];
    expect(linesOf(calls).slice(5)).toEqual([...worker, 'saved', ...last]);
  });

  it('requeue a task whose server has moved', async () => {
    const out = await exported(folder, 'slurm', '--world', '2', '--with-nats');
    const { path, calls } = stubs();
    writeFileSync(join(out, 'server'), 'nats://node:20001\n');
    const moved = `echo nats://other:20001 >'${join(out, 'server')}'`;
    const lines = readFileSync(join(path, 'lmd'), 'utf8').split('\n');
    writeFileSync(join(path, 'lmd'), [...lines.slice(0, 2), moved, ...lines.slice(2)].join('\n'));
    await runScript(join(out, 'train.sbatch'), path, taskOf(0, { ENDS: '1' })).done;
    expect(linesOf(calls).slice(-3)).toEqual(['scontrol', 'requeue', '77_0']);
  });

  it('refuse to run in another folder, and without the command', async () => {
    const out = await exported(folder, 'slurm', '--world', '2', ...server, '--installed');
    const { path } = stubs();
    const elsewhere = runScript(join(out, 'train.sbatch'), path, taskOf(0, { SLURM_SUBMIT_DIR: path }));
    expect(await elsewhere.done).toMatchObject({ code: 2, output: expect.stringContaining('cd <folder> && sbatch') });
    const bare = join(path, 'bare');
    mkdirSync(bare);
    const without = runScript(join(out, 'train.sbatch'), bare, taskOf(0));
    expect(await without.done).toMatchObject({ code: 1, output: expect.stringContaining('no command lmd') });
  });

  it('run nothing that is in the names of files', async () => {
    const evil = `it's $(touch pwned) \`touch pwned\` "; touch pwned; #\n touch pwned`;
    const data = join(folder, `${evil}.txt`);
    writeFileSync(data, 'To be, or not to be: that is the question. '.repeat(60));
    const configuration = join(folder, `${evil.replaceAll('/', '')}.json`);
    writeFileSync(
      configuration,
      JSON.stringify({ preset: 'own-text', steps: 20, data: { path: data }, optimizers: undefined }),
    );
    const out = join(folder, evil);
    const words = ['cluster', 'export', 'slurm', configuration, '--world', '2', ...server, '--out', out];
    const run = await lmd([...words, '--set', 'optimizers.lmd.schedule.warmup=2'], folder);
    expect(run).toMatchObject({ code: 0 });
    const { path, calls } = stubs();
    const script = join(out, 'train.sbatch');
    expect(spawnSync('bash', ['-n', script]).status).toBe(0);
    expect((await runScript(script, path, taskOf(1, { ENDS: '0' })).done).code).toBe(0);
    expect(readFileSync(calls, 'utf8')).toContain(`--data\n${data}\n--work\n`);
    const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(^|\/)pwned$/.test(name),
    );
    expect(found).toEqual([]);
  });

  it('replace a pod of a worker that is stopped', async () => {
    const out = await exported(folder, 'kubernetes', '--world', '2', ...server);
    const { path, calls } = stubs();
    const script = join(out, 'run.sh');
    writeFileSync(script, findIn(manifestsIn(out), 'ConfigMap').data['run.sh']);
    const { child, done } = runScript(script, path, { JOB_COMPLETION_INDEX: '1' }, 'sh');
    await until(() => readFileSync(calls, 'utf8').includes('--work\n'));
    await wait(200);
    child.kill('SIGTERM');
    // With 0, Kubernetes takes the work of the pod for done.
    expect((await done).code).toBe(143);
    expect(linesOf(calls).at(-1)).toBe('saved');
  });

  it.skipIf(natsServer === undefined)(
    `train over their own server${natsServer === undefined ? `: ${howToInstall}` : ''}`,
    async () => {
      const settings = ['steps=8', 'batchSize=16', 'backend=cpu'];
      const sets = ['--only', 'lmd', '--set', ...settings];
      const out = await exported(folder, 'slurm', '--world', '2', '--with-nats', ...sets);
      const { path, calls } = stubs(join(folder, 'lmd-program'));
      writeFileSync(join(folder, 'lmd-program'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
      chmodSync(join(folder, 'lmd-program'), 0o755);
      // A server that is found by its name must not find this script.
      const exec = `PATH='${process.env.PATH}' exec '${natsServer}' "$@"`;
      writeFileSync(join(path, 'nats-server'), `#!/bin/sh\n${exec}\n`);
      chmodSync(join(path, 'nats-server'), 0o755);
      writeFileSync(join(out, 'token'), 'a1b2c3');
      const job = { SLURM_JOB_ID: String(process.pid), SLURMD_NODENAME: '127.0.0.1' };
      const own = runScript(join(out, 'server.sbatch'), path, job);
      const worker = runScript(join(out, 'train.sbatch'), path, taskOf(1));
      const leader = await runScript(join(out, 'train.sbatch'), path, taskOf(0)).done;
      expect(leader).toMatchObject({ code: 0 });
      expect(linesOf(calls).slice(-4)).toEqual(['scancel', '77_[1-1]', 'scancel', String(process.pid)]);
      worker.child.kill('SIGTERM');
      expect(await worker.done).toMatchObject({ code: 130, output: expect.stringContaining('1 finished.') });
      own.child.kill('SIGTERM');
      expect((await own.done).code).toBe(0);
      expect(existsSync(join(out, 'server'))).toBe(false);
      const alone = ['train', 'smoke', ...sets, 'microBatchSize=8', '--out', 'alone'];
      expect(await lmd(alone, folder)).toMatchObject({ code: 0 });
      const [here, there] = [join(folder, 'alone'), join(out, 'run')].map((run) => join(run, 'lmd', 'metrics.jsonl'));
      const losses = (file: string) => linesOf(file).flatMap((line) => JSON.parse(line).loss ?? []);
      expect(losses(there!)).toEqual(losses(here!));
    },
    120_000,
  );
});
