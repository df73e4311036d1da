import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../scripts/nats-server.mjs';
import { FaultyProxy } from './faulty-proxy.js';
import { lmdProcess as lmd, program, start, temporaryFolder } from './lmd.js';

/** How many faults are made, and the seed that chooses them. LMD_FAULTS=200 is the long run. */
const count = Number(process.env.LMD_FAULTS ?? 6);
const seed = Number(process.env.LMD_FAULT_SEED ?? 1);

const folder = temporaryFolder();
const token = 'secret';
const workerCount = 3;
const training = [
  ...['train', 'smoke', '--only', 'lmd', '--json'],
  ...['--set', 'steps=60', 'batchSize=12', 'evaluation.every=60', 'checkpoints.every=10', 'backend=cpu'],
];
const search = [
  'search',
  'smoke',
  '--set',
  'backend=cpu',
  '--trials',
  '4',
  '--steps',
  '12',
  '--threads',
  '1',
  '--json',
];

/** Uniform in [0, 1): mulberry32. */
function randomNumbers(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function valuesOf(run: string): string {
  const bytes = readFileSync(join(folder, run, 'lmd', 'model.safetensors'));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}

/** The results of a search by the hash of their trials, without what depends on the machine. */
function resultsOf(run: string): readonly (readonly [string, string])[] {
  const lines = readFileSync(join(folder, run, 'ledger.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .map(({ hash, result: { peakMemoryBytes: _, ...result } }) => [hash, JSON.stringify(result)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}

const natsServer = findNatsServer();

describe.skipIf(natsServer === undefined)(`faults${natsServer === undefined ? `: ${howToInstall}` : ''}`, () => {
  const random = randomNumbers(seed);
  const workers = new Set<ChildProcess>();
  const recent: Msg[] = [];
  const made: Record<string, number> = {};
  let port: number;
  let proxy: FaultyProxy;
  let server: { stop(signal?: string): Promise<void> };
  let observer: NatsConnection;
  let url: string;
  let serial = 0;

  const storage = join(folder, 'server');
  const startServer = async () => {
    server = await startNatsServer(natsServer!, { port, storage, words: ['--auth', token] });
  };

  function startWorker(): void {
    const words = [program, 'worker', url, '--work', join(folder, `worker-${serial++}`)];
    const child = spawn(process.execPath, words, { stdio: 'ignore' });
    workers.add(child);
    // One that ends by an error is an engineer's to start again.
    child.on('exit', () => workers.delete(child));
  }

  beforeAll(async () => {
    port = await freePort();
    mkdirSync(storage);
    await startServer();
    proxy = await FaultyProxy.to(port);
    url = `nats://${token}@127.0.0.1:${proxy.port}`;
    observer = await connect({ servers: `127.0.0.1:${port}`, token, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    observer.subscribe('lmd.rounds.>', {
      callback: (_, message) => {
        recent.push(message);
        if (recent.length > 50) recent.shift();
      },
    });
    expect(await lmd([...training, 'microBatchSize=4', '--out', 'alone'], folder)).toMatchObject({ code: 0 });
    expect(await lmd([...search, '--out', 'local'], folder)).toMatchObject({ code: 0 });
    for (let index = 0; index < workerCount; index++) startWorker();
  });

  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await observer?.close();
    await proxy?.close();
    await server?.stop();
  });

  /** What can go wrong, given the process that leads. */
  const faults: Readonly<Record<string, (leader: ChildProcess) => unknown>> = {
    'a worker is killed': () => [...workers][Math.floor(random() * workers.size)]?.kill('SIGKILL'),
    'the first worker or the search is killed': (leader) => leader.kill('SIGKILL'),
    async 'the server is killed, and started again'() {
      await server.stop('SIGKILL');
      await wait(1000 * random());
      await startServer();
    },
    'the network is cut': () => proxy.cut(1500 * random()),
    'everything is slow': () => proxy.slow(1500 * random()),
    'a bit is changed in flight': () => proxy.change(),
    'messages come twice'() {
      for (const { subject, data, headers } of recent) {
        observer.publish(subject, data, headers === undefined ? {} : { headers });
      }
    },
    async 'somebody without credentials'() {
      const { code, stderr } = await lmd(['worker', `nats://wrong@127.0.0.1:${proxy.port}`, '--idle', '1'], folder);
      expect(code).toBe(1);
      // The network may be cut at the same time.
      expect(stderr.replace(/\s+/g, ' ')).toMatch(/refuses the credentials|cannot be reached/);
    },
  };

  /** Runs a command until it has succeeded, and makes faults meanwhile. Returns how often it was started. */
  async function withFaults(words: readonly string[], again: () => readonly string[]): Promise<number> {
    for (let starts = 1; ; starts++) {
      const running = start(starts === 1 ? words : again(), folder);
      let hasEnded = false;
      const ended = running.done.finally(() => {
        hasEnded = true;
      });
      for (;;) {
        await Promise.race([ended, wait(500 + 2500 * random())]);
        while (workers.size < workerCount) startWorker();
        if (hasEnded || total() >= count) break;
        const names = Object.keys(faults);
        const name = names[Math.floor(random() * names.length)]!;
        made[name] = (made[name] ?? 0) + 1;
        await faults[name]!(running.child);
      }
      const { code, signal, stderr } = await ended;
      if (code === 0) return starts;
      // An error names what has failed, and the command goes on from there.
      if (signal !== 'SIGKILL') expect(stderr).toMatch(/error \S/);
      expect(starts).toBeLessThan(50);
    }
  }

  const total = () => Object.values(made).reduce((sum, one) => sum + one, 0);

  it(`${count} at random lose nothing, and change no bit`, { timeout: 3_600_000 }, async () => {
    for (let job = 0; total() < count; job++) {
      const run = `job-${job}`;
      if (job % 2 === 0) {
        const words = [...training, '--workers', url, '--world', String(workerCount), '--out', run];
        const resume = ['train', '--resume', run, '--workers', url, '--json'];
        // It may be killed before it has a folder.
        await withFaults(words, () => (existsSync(join(folder, run, 'config.json')) ? resume : words));
        expect(valuesOf(run)).toBe(valuesOf('alone'));
      } else {
        const words = [...search, '--on', url, '--out', run];
        await withFaults(words, () => words);
        expect(resultsOf(run)).toEqual(resultsOf('local'));
      }
    }
    console.log(`${total()} faults of seed ${seed}: ${JSON.stringify(made)}`);
  });
});
