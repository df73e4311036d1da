import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventListener } from '@lmd/training';
import { connect } from '@nats-io/transport-node';
import { afterAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../../scripts/nats-server.mjs';
import { blackHole } from '../../test/black-hole.js';
import { base, keepSnapshots, outcome, outcomes } from '../../test/small-run.js';
import { averageGradients, inProcessTransport, type Transport } from '../index.js';
import { type NatsTransportOptions, natsTransport } from './index.js';

const program = findNatsServer();
const folder = mkdtempSync(join(tmpdir(), 'lmd-nats-faults-'));
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function started(words: readonly string[] = []): Promise<string> {
  const { url, stop } = await startNatsServer(program!, { words: [...words] });
  closing.push(stop);
  return url;
}

/** A worker's transport, which notices within a second that nothing arrives any more. */
async function connected(servers: string, options: Partial<NatsTransportOptions> = {}): Promise<Transport> {
  const watching = { pingInterval: 200, maxPingOut: 2, maxReconnectAttempts: -1, reconnectTimeWait: 50, timeout: 500 };
  const connection = await connect({ servers, ...watching });
  const transport = await natsTransport({ connection, storage: 'memory', ...options });
  closing.push(() => transport.close().catch(() => undefined));
  return transport;
}

describe.skipIf(program === undefined)(`faults of NATS${program === undefined ? `: ${howToInstall}` : ''}`, () => {
  it('a network that loses everything for a while changes no bit', async () => {
    const url = await started();
    const holes = await Promise.all([0, 1].map(() => blackHole(Number(new URL(url).port))));
    closing.push(() => holes.map(({ close }) => close()));
    const transports = await Promise.all(holes.map(({ servers }) => connected(servers)));
    const alone = await outcome({ ...base(), microBatchSize: 4 });
    const cuts = [2, 4];
    const exchange = (rank: number) =>
      averageGradients({ transport: transports[rank]!, run: 'cut', rank, workers: 2, bucketBytes: 60 });
    const all = await outcomes(2, exchange, (rank) => ({
      plugins: [
        eventListener((event) => {
          // Each worker loses the network once, in the step after this one.
          if (event.type !== 'step' || event.step !== cuts[rank]) return;
          holes[rank]!.cut();
          setTimeout(() => holes[rank]!.mend(), 1500);
        }),
      ],
    }));
    for (const { state } of all) expect(state).toEqual(alone.state);
  }, 120_000);

  it('messages that a server has delivered into a lost connection are read again', async () => {
    const url = await started();
    const hole = await blackHole(Number(new URL(url).port));
    closing.push(() => hole.close());
    const [here, lost] = [await connected(url), await connected(hole.servers)];
    const place = { channel: 'run/lost', round: 0 };
    const contribution = { workers: 2, payload: Uint8Array.of(1, 2, 3), timeoutMs: 20_000 };
    const waiting = lost.gather(place, { rank: 0, ...contribution });
    // The consumer is there, and has the worker's own contribution.
    await new Promise((resolve) => setTimeout(resolve, 500));
    hole.cut();
    const { payloads } = await here.gather(place, { rank: 1, ...contribution });
    expect(payloads.size).toBe(2);
    hole.mend();
    expect((await waiting).payloads).toEqual(payloads);
  }, 60_000);

  it('a contribution that the server has stored damaged is sent again', async () => {
    const url = await started();
    let changes = 0;
    const proxy = await blackHole(Number(new URL(url).port), (bytes) => {
      const at = bytes.indexOf(Uint8Array.of(201, 202, 203, 205));
      if (at < 0 || changes > 0) return;
      changes++;
      bytes[at + 1]! ^= 1;
    });
    closing.push(() => proxy.close());
    const transports = [await connected(url), await connected(proxy.servers)];
    const all = await Promise.all(
      transports.map((transport, rank) =>
        transport.gather(
          { channel: 'run/changed', round: 0 },
          { rank, workers: 2, payload: Uint8Array.of(201, 202, 203, 204 + rank), timeoutMs: 60_000 },
        ),
      ),
    );
    expect(changes).toBe(1);
    for (const { payloads } of all) {
      expect([...payloads]).toEqual([0, 1].map((rank) => [rank, Uint8Array.of(201, 202, 203, 204 + rank)]));
    }
  }, 60_000);

  it('a network that stays away is named by both ends', async () => {
    const url = await started();
    const hole = await blackHole(Number(new URL(url).port));
    closing.push(() => hole.close());
    const here = await connected(url);
    const lost = await connected(hole.servers, { patienceMs: 500 });
    const place = { channel: 'run/counts', round: 0 };
    hole.cut();
    const contribution = { workers: 2, payload: Uint8Array.of(1), timeoutMs: 1000 };
    const waiting = expect(here.gather(place, { rank: 0, ...contribution })).rejects.toMatchObject({
      code: 'WORKER_MISSING',
      value: [1],
      subject: 'run/counts',
    });
    await expect(lost.gather(place, { rank: 1, ...contribution })).rejects.toMatchObject({
      code: 'TRANSPORT_FAILURE',
      message: expect.stringContaining('round 0 of "run/counts"'),
    });
    await waiting;
  }, 60_000);

  it('a full store ends the run with who and what, and nothing that is stored is lost', async () => {
    const path = join(folder, 'small.conf');
    writeFileSync(path, 'jetstream { max_memory_store: 8MB, max_file_store: 64MB }\n');
    const url = await started(['-c', path]);
    const transport = await connected(url, { retainedRounds: 100, patienceMs: 300 });
    const gather = (round: number) => {
      const payload = new Uint8Array(2 ** 20).fill(round);
      return transport.gather({ channel: 'run/all', round }, { rank: 0, workers: 1, payload, timeoutMs: 30_000 });
    };
    let stored = 0;
    const failure = await (async () => {
      for (;;) {
        await gather(stored);
        stored++;
      }
    })().catch((error) => error);
    expect(failure).toMatchObject({ code: 'TRANSPORT_FAILURE' });
    expect(failure.message).toContain(`is full: part`);
    expect(failure.message).toContain(`of round ${stored} of "run/all" by rank 0 is not stored`);
    expect(failure.remedy).toContain('max_file_store');
    expect(stored).toBeGreaterThan(2);
    for (let round = 0; round < stored; round++) {
      expect((await gather(round)).payloads.get(0)!.every((value) => value === round)).toBe(true);
    }
  }, 60_000);

  it('a store in which forgotten rounds make room is never full', async () => {
    const path = join(folder, 'recycled.conf');
    writeFileSync(path, 'jetstream { max_memory_store: 8MB, max_file_store: 64MB }\n');
    const transport = await connected(await started(['-c', path]), { retainedRounds: 2 });
    for (let round = 0; round < 12; round++) {
      const payload = new Uint8Array(2 ** 21).fill(round);
      const place = { channel: 'run/all', round };
      const { payloads } = await transport.gather(place, { rank: 0, workers: 1, payload, timeoutMs: 30_000 });
      expect(payloads.get(0)![0]).toBe(round);
    }
  }, 60_000);

  it('a run that a full store has ended resumes elsewhere to the same bits', async () => {
    const path = join(folder, 'tiny.conf');
    writeFileSync(path, 'jetstream { max_memory_store: 20KB, max_file_store: 64MB }\n');
    const url = await started(['-c', path]);
    const transports = [0, 1].map(() => connected(url, { retainedRounds: 1000, patienceMs: 300 }));
    const savers = [keepSnapshots(), keepSnapshots()];
    const [a, b] = await Promise.all(transports);
    const steps = 60;
    const full = await outcomes(
      2,
      (rank) => averageGradients({ transport: [a!, b!][rank]!, run: 'full', rank, workers: 2, timeoutMs: 3000 }),
      (rank) => ({ steps, plugins: [savers[rank]!] }),
    ).catch((error) => error);
    expect(full).toMatchObject({ code: expect.stringMatching(/TRANSPORT_FAILURE|WORKER_MISSING/) });
    const { last } = savers[0]!;
    expect(last.step).toBeGreaterThan(0);
    expect(last.step).toBeLessThan(steps);
    const alone = await outcome({ ...base(), steps, microBatchSize: 4 });
    const transport = inProcessTransport();
    const resumed = await outcomes(
      2,
      (rank) => averageGradients({ transport, run: 'again', rank, workers: 2 }),
      () => ({ steps, resume: { checkpoint: last } }),
    );
    for (const { state } of resumed) expect(state).toEqual(alone.state);
  }, 60_000);
});
