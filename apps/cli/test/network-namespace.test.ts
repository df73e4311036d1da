import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { findNatsServer, startNatsServer } from '../../../scripts/nats-server.mjs';
import { lmdProcess as lmd, program, start, temporaryFolder } from './lmd.js';

const namespace = `lmd-${process.pid}`;
const [here, there] = [`lmdh${process.pid}`, `lmdt${process.pid}`];
/** Of the block for benchmarks of networks (RFC 2544), which no machine routes. */
const subnet = `198.18.${process.pid % 250}`;
const ip = (...words: string[]) => spawnSync('ip', words, { encoding: 'utf8' });

/** Two ends of a cable, one of them in a network of its own. Undefined where that is not permitted. */
function connectNamespace(): string | undefined {
  const commands = [
    ['netns', 'add', namespace],
    ['link', 'add', here, 'type', 'veth', 'peer', 'name', there],
    ['link', 'set', there, 'netns', namespace],
    ['addr', 'add', `${subnet}.1/24`, 'dev', here],
    ['link', 'set', here, 'up'],
    ['netns', 'exec', namespace, 'ip', 'addr', 'add', `${subnet}.2/24`, 'dev', there],
    ['netns', 'exec', namespace, 'ip', 'link', 'set', there, 'up'],
  ];
  for (const words of commands) {
    const { status, stderr, error } = ip(...words);
    if (status === 0) continue;
    disconnect();
    return `ip ${words.join(' ')}: ${error?.message ?? stderr.trim()}`;
  }
  return undefined;
}

function disconnect(): void {
  ip('netns', 'del', namespace);
  ip('link', 'del', here);
}

const server = findNatsServer();
const obstacle = server === undefined ? 'no nats-server is installed' : connectNamespace();
afterAll(disconnect);

describe.skipIf(obstacle !== undefined)(`a worker in a network of its own${obstacle ? `: ${obstacle}` : ''}`, () => {
  const folder = temporaryFolder();
  const words = [
    ...['train', 'smoke', '--only', 'lmd', '--json'],
    ...['--set', 'steps=24', 'batchSize=4', 'evaluation.every=12', 'checkpoints.every=8', 'backend=cpu'],
  ];
  const losses = async (run: ReturnType<typeof lmd>) => {
    const { code, stderr, events } = await run;
    expect(code, stderr).toBe(0);
    return events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
  };

  it('whose cable is cut for seconds changes no bit', async () => {
    const { url, stop } = await startNatsServer(server!, { words: ['-a', '0.0.0.0'] });
    const address = `nats://${subnet}.1:${new URL(url).port}`;
    const worker: ChildProcess = spawn(
      'ip',
      ['netns', 'exec', namespace, process.execPath, program, 'worker', address, '--work', `${folder}/work`],
      { stdio: 'ignore' },
    );
    try {
      const alone = await losses(lmd([...words, 'microBatchSize=2', '--out', 'alone'], folder));
      let isCut = false;
      const run = start([...words, '--workers', address, '--world', '2', '--out', 'cut'], folder, (event) => {
        if (isCut || event.type !== 'step' || event.step < 6) return;
        isCut = true;
        ip('link', 'set', here, 'down');
        setTimeout(() => ip('link', 'set', here, 'up'), 4000);
      });
      expect(await losses(run.done)).toEqual(alone);
      expect(isCut).toBe(true);
    } finally {
      worker.kill();
      await stop();
    }
  }, 180_000);
});
