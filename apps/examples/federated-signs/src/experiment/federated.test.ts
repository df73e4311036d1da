import { createCpuBackend } from '@lmd/backends/cpu';
import { createReferenceBackend } from '@lmd/backends/reference';
import { type Backend, createOperations, type EagerOperations, LmdError } from '@lmd/core';
import { inProcessTransport } from '@lmd/distributed';
import { network, type Pictures } from '@lmd/example-shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer, howToInstall, startNatsServer } from '../../../../../scripts/nats-server.mjs';
import {
  dirichletClients,
  type FederatedContext,
  type FederatedOptions,
  federated,
  keepSalient,
  majority,
  openTransport,
  packSigns,
  unpackSigns,
} from '../index.js';

const report = async () => {};

/** Four classes of 16 pixels: one of four groups is bright. */
function groups(examples: number): Pictures {
  const labels = Int32Array.from({ length: examples }, (_, i) => i % 4);
  const images = Float32Array.from({ length: examples * 16 }, (_, i) => {
    const [example, pixel] = [Math.floor(i / 16), i % 16];
    const noise = ((example * 31 + pixel * 17) % 11) / 22;
    return (Math.floor(pixel / 4) === labels[example] ? 2 : 0) + noise;
  });
  return { images, labels, pixels: 16 };
}

describe('signs', () => {
  it('take one bit each, and arrive as they were sent', () => {
    const values = Float32Array.from({ length: 19 }, (_, i) => (i % 3 === 0 ? -0.5 : i));
    const bytes = packSigns(values);
    expect(bytes.byteLength).toBe(3);
    expect([...unpackSigns(bytes, 19)]).toEqual([...values].map((value) => (value < 0 ? -1 : 1)));
    expect([...packSigns([1, -1, 1, 1, 1, 1, 1, 1, -1])]).toEqual([2, 1]);
  });

  it('of the majority by weight win, and a tie changes nothing', () => {
    const vote = (weight: number, ...signs: number[]) => ({ bytes: packSigns(signs), weight });
    const votes = [vote(3, 1, -1, 1, -1), vote(2, -1, -1, -1, 1), vote(1, -1, 1, -1, 1)];
    expect([...majority(votes, Float32Array.of(1, 1, -1, 1))]).toEqual([1, -1, -1, 1]);
  });

  it('of another number of bytes are refused', () => {
    expect(() => unpackSigns(new Uint8Array(2), 17)).toThrow(/2 bytes arrived for 17 signs\. Send 3\./);
  });
});

describe('keepSalient', () => {
  const ops = createOperations(createReferenceBackend());

  it('keeps the weights with the largest sums of paths', async () => {
    const net = network([2, 2, 1]);
    // Paths: |w1[i][j]|·|w2[j]|. Scores of layer1: [3·1, 1·2; 0·1, 2·2], of layer2 their columns: [3, 6].
    const weights = { layer1: ops.fromData([-3, 1, 0, 2], [2, 2]), layer2: ops.fromData([1, -2], [2, 1]) };
    const before = ops.memory().tensors;
    const positions = async (keep: number) =>
      Object.values(await keepSalient(ops, net.shapes, weights, keep)).map((kept) => [...kept]);
    // Three of six: 6, 4, and of the two scores of 3 the earlier.
    expect(await positions(0.5)).toEqual([[0, 3], [1]]);
    expect(await positions(1)).toEqual([
      [0, 1, 2, 3],
      [0, 1],
    ]);
    await expect(keepSalient(ops, net.shapes, weights, 0.17)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/keep is 0\.17, which leaves "layer1" no weight/),
    });
    expect(ops.memory().tensors).toBe(before);
  });
});

describe('dirichletClients', () => {
  const labels = Int32Array.from({ length: 1000 }, (_, i) => i % 10);

  it('gives every example to one client, by uneven shares that the seed determines', () => {
    const options = { clients: 5, alpha: 0.5, seed: 3 };
    const parts = dirichletClients(labels, options);
    expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual([...labels.keys()]);
    const shares = parts.map((part) => part.filter((index) => labels[index] === 0).length);
    expect(Math.max(...shares)).toBeGreaterThan(3 * Math.min(...shares));
    expect(dirichletClients(labels, options)).toEqual(parts);
    expect(dirichletClients(labels, { ...options, seed: 4 })).not.toEqual(parts);
  });

  it('has the moments of the distribution', () => {
    // The variance of a share of Dirichlet(α) among k clients is (k − 1) / (k²·(kα + 1)).
    const all = Array.from({ length: 200 }, (_, seed) => {
      const one = new Int32Array(1000);
      return dirichletClients(one, { clients: 2, alpha: 2, seed })[0]!.length / 1000;
    });
    const mean = all.reduce((sum, share) => sum + share, 0) / all.length;
    const variance = all.reduce((sum, share) => sum + (share - mean) ** 2, 0) / all.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
    expect(Math.abs(variance - 1 / 20)).toBeLessThan(0.015);
  });

  it('refuses clients without data', () => {
    expect(() => dirichletClients(labels, { clients: 2000, alpha: 0.5, seed: 0 })).toThrow(
      /clients is 2000: client \d+ of them has no data\. Use fewer clients/,
    );
  });
});

describe('federated', () => {
  let backend: Backend;
  let ops: EagerOperations;
  beforeAll(async () => {
    backend = await createCpuBackend({ threads: 1 });
    ops = createOperations(backend);
  });
  afterAll(() => backend.close?.());

  const part = { role: 'all', client: 0 } as const;
  const options: FederatedOptions = {
    ...part,
    ...{ clients: 3, alpha: 1, rounds: 6, batch: 4, images: 400, width: 32, keep: 0.5, seed: 2 },
  };
  const data = { train: groups(400), test: groups(80) };
  const measure = async (given: FederatedOptions = options, context: Partial<FederatedContext> = {}) =>
    (await federated(ops, data, given, { report, ...context }))!;

  it('learns by signs of one bit and by averaging, and counts the bytes of both', async () => {
    const measured = await measure();
    const parameters = 16 * 32 + 32 * 32 + 32 * 4;
    expect([measured.parameters, measured.kept]).toEqual([parameters, parameters / 2]);
    expect(measured.clientSizes.reduce((sum, size) => sum + size, 0)).toBe(400);
    const [signs, averaging] = measured.results;
    expect([signs!.upBytes, signs!.downBytes]).toEqual([3 * (parameters / 16), 3 * (parameters / 16)]);
    expect([averaging!.upBytes, averaging!.downBytes]).toEqual([3 * 4 * parameters, 3 * 4 * parameters]);
    for (const { accuracies } of measured.results) {
      expect(accuracies).toHaveLength(7);
      // A quarter is chance.
      expect(accuracies.at(-1)).toBeGreaterThan(0.9);
    }
    expect(await measure()).toEqual(measured);
    expect(ops.memory().tensors).toBe(0);
  });

  /** The same run as a server and clients that share only the transport, each with a backend of its own. */
  async function apart(context: () => Promise<Partial<FederatedContext>>) {
    const alone = async (own: Partial<FederatedOptions>) => {
      const backend = await createCpuBackend({ threads: 1 });
      const given = { ...options, ...own };
      const contents = { report, ...(await context()) };
      return federated(createOperations(backend), data, given, contents).finally(() => backend.close?.());
    };
    const [server, ...clients] = await Promise.all([
      alone({ role: 'server' }),
      ...[0, 1, 2].map((client) => alone({ role: 'client', client })),
    ]);
    expect(clients).toEqual([undefined, undefined, undefined]);
    return server;
  }

  it('has the same bits with a server and clients that share only the transport', async () => {
    const transport = inProcessTransport();
    expect(await apart(async () => ({ transport }))).toEqual(await measure());
  });

  const program = findNatsServer();
  describe.skipIf(program === undefined)(`over NATS${program === undefined ? `: ${howToInstall}` : ''}`, () => {
    it('has the same bits, in one process and apart', async () => {
      const { url, stop } = await startNatsServer(program!);
      const opened: { close(): Promise<void> }[] = [];
      try {
        const over = async (run?: string) => {
          const one = (await openTransport({ role: 'all', nats: url, ...(run !== undefined && { run }) }))!;
          opened.push(one.transport);
          return one;
        };
        const wanted = await measure();
        expect(await measure(options, await over())).toEqual(wanted);
        expect(await apart(() => over('apart'))).toEqual(wanted);
      } finally {
        for (const transport of opened) await transport.close();
        await stop();
      }
    }, 60_000);
  });

  it('ends the server and all clients if one is stopped, and leaves no tensor behind', async () => {
    let calls = 0;
    const stop = async () => {
      calls += 1;
      if (calls === 5) throw new LmdError('INTERRUPTED', 'Stopped.');
    };
    await expect(measure(options, { report: stop })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(ops.memory().tensors).toBe(0);
    const ended = AbortSignal.abort();
    await expect(measure(options, { signal: ended })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(ops.memory().tensors).toBe(0);
  });

  it('refuses pictures of another size, and leaves no tensor behind', async () => {
    const other = { train: groups(400), test: { ...groups(80), pixels: 8 } };
    await expect(federated(ops, other, options, { report })).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    expect(ops.memory().tensors).toBe(0);
  });

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['clients without data', () => measure({ ...options, clients: 300 }), 'INVALID_ARGUMENT', /clients is 300/],
    [
      'a client that there is not',
      () => measure({ ...options, role: 'client', client: 3 }),
      'INVALID_ARGUMENT',
      /client is 3, but clients is 3\. Use a number from 0 to 2/,
    ],
    [
      'a part without a server',
      () => openTransport({ role: 'client', run: 'a' }),
      'INVALID_ARGUMENT',
      /nats is not given/,
    ],
    [
      'a part without a name',
      () => openTransport({ role: 'server', nats: 'nats://127.0.0.1:1' }),
      'INVALID_ARGUMENT',
      /run is not given/,
    ],
    [
      'a server that is not there',
      () => openTransport({ role: 'all', nats: 'nats://127.0.0.1:1' }),
      'TRANSPORT_FAILURE',
      /nats is nats:\/\/127\.0\.0\.1:1, which fails/,
    ],
  ])('refuses %s', async (_, run, code, message) => {
    await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
