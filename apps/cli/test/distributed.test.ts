import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../scripts/nats-server.mjs';
import type { Event } from '../src/run/events.js';
import { lmdProcess as lmd, program, start, temporaryFolder } from './lmd.js';

const folder = temporaryFolder();
const averages = [
  ...['train', 'smoke', '--only', 'lmd', '--json'],
  ...['--set', 'steps=40', 'batchSize=12', 'evaluation.every=20', 'checkpoints.every=10', 'backend=cpu'],
];
const votes = [
  ...averages,
  ...['optimizers.lmd.gradientScaling=none', 'distributed={"exchange":"votes","workers":3,"compareEvery":5}'],
];

/** SHA-256 of the values of a model file, without its metadata, which has the configuration. */
function valuesOf(run: string): string {
  const bytes = readFileSync(join(folder, run, 'lmd', 'model.safetensors'));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}

/** Losses of all steps, which a resumed run has once each. */
const lossesOf = (run: string): number[] =>
  readFileSync(join(folder, run, 'lmd', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .flatMap(({ type, loss }) => (type === 'step' ? [loss] : []));

/** Calls a function once, at the first step from a number on. */
function atStep(from: number, body: (child: ChildProcess) => void) {
  let isDone = false;
  return (event: Event, child: ChildProcess) => {
    if (isDone || event.type !== 'step' || event.step < from) return;
    isDone = true;
    body(child);
  };
}

beforeAll(async () => {
  const alone = await lmd([...averages, 'microBatchSize=4', '--out', 'alone'], folder);
  expect(alone).toMatchObject({ code: 0, stderr: '' });
  expect(await lmd([...votes, '--out', 'votes'], folder)).toMatchObject({ code: 0, stderr: '' });
});

describe('workers as threads', () => {
  it('that average gradients have the bits of one process', async () => {
    const run = await lmd([...averages, '--workers', '3', '--out', 'threads'], folder);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(valuesOf('threads')).toBe(valuesOf('alone'));
    expect(lossesOf('threads')).toEqual(lossesOf('alone'));
  });

  it.each([
    [['--threads', '1'], 'one thread'],
    [['--threads', '3'], '3 threads'],
    [['--set', 'threads=4', 'distributed={"exchange":"averages","workers":2}'], '2 threads'],
    [['--threads', '2', '--workers', '2'], 'one thread'],
  ])('divide the threads of the process: %j', async (words, expected) => {
    const out = `threads${words.join('').replace(/\W/g, '')}`;
    const { events, stderr } = await lmd([...averages, 'steps=5', ...words, '--out', out], folder);
    expect(stderr).toBe('');
    const devices = events.flatMap((event) => (event.type === 'start' ? [event.device] : []));
    expect(devices).toEqual([expect.stringContaining(`, ${expected}`)]);
  });

  it('that vote are configured by their keys, and resume to the same bits after a kill', async () => {
    expect(valuesOf('votes')).not.toBe(valuesOf('alone'));
    const killed = start(
      [...votes, '--out', 'killed'],
      folder,
      atStep(25, (child) => child.kill('SIGKILL')),
    );
    expect((await killed.done).signal).toBe('SIGKILL');
    expect(await lmd(['train', '--resume', 'killed', '--json'], folder)).toMatchObject({ code: 0 });
    expect(valuesOf('killed')).toBe(valuesOf('votes'));
    expect(lossesOf('killed')).toEqual(lossesOf('votes'));
  });

  it('that take local steps resume to the same bits after a kill between two averages', async () => {
    const weights = [
      ...averages.filter((word) => word !== 'checkpoints.every=10'),
      ...['checkpoints.every=6', 'distributed={"exchange":"weights","workers":3,"localSteps":4,"compareEvery":4}'],
    ];
    expect(await lmd([...weights, '--out', 'local'], folder)).toMatchObject({ code: 0, stderr: '' });
    const killed = start(
      [...weights, '--out', 'killed-local'],
      folder,
      atStep(20, (child) => child.kill('SIGKILL')),
    );
    expect((await killed.done).signal).toBe('SIGKILL');
    expect(await lmd(['train', '--resume', 'killed-local', '--json'], folder)).toMatchObject({ code: 0 });
    expect(valuesOf('killed-local')).toBe(valuesOf('local'));
    expect(lossesOf('killed-local')).toEqual(lossesOf('local'));
    expect(valuesOf('local')).not.toBe(valuesOf('alone'));
  });

  it('stopped by Ctrl-C resume to the same bits', async () => {
    const stopped = start(
      [...averages, '--workers', '3', '--out', 'stopped'],
      folder,
      atStep(15, (child) => child.kill('SIGINT')),
    );
    expect((await stopped.done).code).toBe(130);
    expect(await lmd(['train', '--resume', 'stopped', '--json'], folder)).toMatchObject({ code: 0 });
    expect(valuesOf('stopped')).toBe(valuesOf('alone'));
  });

  it.each([
    [['--workers', 'many'], '--workers is many.'],
    [['--workers', '5'], 'batchSize is 12, but distributed.workers is 5.'],
    [['--workers', 'nats://127.0.0.1:1'], 'The number of workers is missing.'],
    [['--workers', '2', '--world', '3'], 'both give a number of workers'],
    [['--workers', 'nats://127.0.0.1:1', '--world', '3'], 'cannot be reached'],
    [
      ['--set', 'distributed={"exchange":"votes","workers":3}', 'optimizers=[{"name":"lmd","rule":"adamw"}]'],
      'distributed.exchange is votes, but a step of optimizers.lmd is not a sign.',
    ],
    [
      [
        ...['--set', 'distributed={"exchange":"weights","workers":3,"localSteps":2}'],
        'optimizers=[{"name":"lmd","rule":"adamw","weightFormat":"bf16"}]',
      ],
      'distributed.exchange is weights, but the weights of optimizers.lmd have no mean.',
    ],
    [['--world', '3'], '--world is 3, but --workers is missing.'],
    [
      ['--set', 'distributed={"exchange":"votes","workers":3,"quorum":2}'],
      'quorum is given without distributed.deadlineMs',
    ],
    [
      ['--set', 'distributed={"exchange":"votes","workers":3,"quorum":4,"deadlineMs":50}'],
      'distributed.quorum is 4, but distributed.workers is 3. Use at most 3.',
    ],
    [
      ['--set', 'distributed={"exchange":"votes","workers":3,"quorum":2,"deadlineMs":50,"timeoutMs":50}'],
      'distributed.deadlineMs is 50, but distributed.timeoutMs is 50. Use a number below 50.',
    ],
    [['--set', 'updateInPlace=true', '--workers', '3'], 'updateInPlace is true, but workers exchange'],
    [['--set', 'distributed={"exchange":"averages","workers":3,"quorum":2}'], 'distributed has no option "quorum"'],
    [
      ['--set', 'distributed={"exchange":"weights","workers":3,"localSteps":16}'],
      'steps is 40, but distributed.localSteps is 16. Use a multiple of 16',
    ],
    [
      [
        ...['--set', 'earlyStopping={"patience":2}', 'evaluation.every=6'],
        'distributed={"exchange":"weights","workers":3,"localSteps":4}',
      ],
      'evaluation.every is 6, but distributed.localSteps is 4.',
    ],
  ])('refuse %j', async (words, message) => {
    const { code, stderr } = await lmd([...averages, ...words, '--out', 'refused'], folder);
    expect(stderr.replace(/\s+/g, ' ')).toContain(message);
    expect(code).not.toBe(0);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it.each([
    [['--workers', '4'], '--workers is 4, but this run trains with 3 workers.'],
    [['--world', '2'], '--world is 2, but this run trains with 3 workers.'],
  ])('resume with the number of workers that they had, not with %j', async (words, message) => {
    const { code, stderr } = await lmd(['train', '--resume', 'stopped', ...words], folder);
    expect(stderr.replace(/\s+/g, ' ')).toContain(message);
    expect(code).toBe(2);
  });
});

const server = findNatsServer();
describe.skipIf(server === undefined)(`workers of a server${server === undefined ? `: ${howToInstall}` : ''}`, () => {
  let url: string;
  let stop: (() => Promise<void>) | undefined;
  const workers = new Set<ChildProcess>();
  beforeAll(async () => {
    ({ url, stop } = await startNatsServer(server!));
  });
  afterAll(async () => {
    for (const one of workers) one.kill('SIGKILL');
    await stop?.();
  });

  function worker(): ChildProcess {
    const name = `worker-${workers.size}`;
    const child = spawn(process.execPath, [program, 'worker', url, '--work', join(folder, name)], { stdio: 'ignore' });
    workers.add(child);
    return child;
  }

  it('have the bits of one process, also where one is killed and another takes its part', async () => {
    const [first] = [worker(), worker()];
    const run = start(
      [...averages, '--workers', url, '--world', '3', '--out', 'server'],
      folder,
      atStep(13, () => {
        first!.kill('SIGKILL');
        worker();
      }),
    );
    expect(await run.done).toMatchObject({ code: 0 });
    expect(valuesOf('server')).toBe(valuesOf('alone'));
    expect(lossesOf('server')).toEqual(lossesOf('alone'));
  });

  it('hand their part to another with Ctrl-C, and vote to the same bits', async () => {
    const leaving = [...workers].find((one) => one.exitCode === null && one.signalCode === null)!;
    let left: Promise<unknown> | undefined;
    const run = start(
      [...votes, '--workers', url, '--out', 'left'],
      folder,
      atStep(13, () => {
        left = new Promise((resolve) => leaving.on('exit', resolve));
        leaving.kill('SIGINT');
        worker();
      }),
    );
    expect(await run.done).toMatchObject({ code: 0 });
    expect(await left).toBe(130);
    expect(valuesOf('left')).toBe(valuesOf('votes'));
  });

  it('end with the first, which says how it is resumed on the server', async () => {
    const stopped = start(
      [...votes, '--workers', url.replace('//', '//secret@'), '--out', 'first'],
      folder,
      atStep(13, (child) => child.kill('SIGINT')),
    );
    const { code, stderr } = await stopped.done;
    expect(code).toBe(130);
    expect(stderr.replace(/\s+/g, ' ')).toContain(`--resume first --workers ${url}`);
  });

  it('go on when the first worker is killed and resumed', async () => {
    const killed = start(
      [...votes, '--workers', url, '--out', 'led'],
      folder,
      atStep(25, (child) => child.kill('SIGKILL')),
    );
    expect((await killed.done).signal).toBe('SIGKILL');
    await wait(100);
    const resumed = await lmd(['train', '--resume', 'led', '--workers', url, '--json'], folder);
    expect(resumed).toMatchObject({ code: 0 });
    expect(valuesOf('led')).toBe(valuesOf('votes'));
    expect(lossesOf('led')).toEqual(lossesOf('votes'));
  });
});
