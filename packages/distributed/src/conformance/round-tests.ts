import type { Contribution, GatheredRound, Transport } from '../transport.js';
import { bytes, check, checkEqual, rejection, type TransportTest, uniqueName } from './test.js';

const timeoutMs = 120_000;

/** Contributes for several ranks at once, each by a transport of its own. */
async function together(
  transports: readonly Transport[],
  channel: string,
  round: number,
  more: Partial<Contribution> = {},
): Promise<GatheredRound[]> {
  const workers = transports.length;
  return Promise.all(
    transports.map((transport, rank) =>
      transport.gather({ channel, round }, { rank, workers, payload: bytes(rank), timeoutMs, ...more }),
    ),
  );
}

const entries = ({ payloads, complete }: GatheredRound) => ({ payloads: [...payloads], complete });

const several = (connect: () => Promise<Transport>, count: number) =>
  Promise.all(Array.from({ length: count }, () => connect()));

export const roundTests: readonly TransportTest[] = [
  {
    name: 'a round gives all workers the contributions of all, in the order of the ranks',
    async run(connect) {
      const channel = uniqueName('all');
      const transports = await several(connect, 3);
      for (const round of [0, 1, 5]) {
        for (const result of await together(transports, channel, round)) {
          checkEqual(entries(result), { payloads: [0, 1, 2].map((rank) => [rank, bytes(rank)]), complete: true }, 'It');
        }
      }
    },
  },
  {
    name: 'channels with the same numbers are apart',
    async run(connect) {
      const [a, b] = [uniqueName('a'), `${uniqueName('b')}/part`];
      const [transport] = await several(connect, 1);
      const alone = (channel: string, payload: Uint8Array) =>
        transport!.gather({ channel, round: 7 }, { rank: 0, workers: 1, payload, timeoutMs });
      const [one, other] = await Promise.all([alone(a, bytes(1)), alone(b, bytes(2))]);
      checkEqual([one.payloads.get(0), other.payloads.get(0)], [bytes(1), bytes(2)], 'The payloads');
    },
  },
  {
    name: 'payloads are empty, large, and copies',
    async run(connect) {
      const channel = uniqueName('sizes');
      const transports = await several(connect, 2);
      for (const [round, length] of [0, 3, 3_000_001].entries()) {
        const sent = [bytes(1, length), bytes(2, length)];
        const results = await Promise.all(
          transports.map((transport, rank) => {
            const payload = sent[rank]!.slice();
            const result = transport.gather({ channel, round }, { rank, workers: 2, payload, timeoutMs });
            // The caller may use its memory again as soon as its own call has returned.
            return result.finally(() => payload.fill(0));
          }),
        );
        for (const { payloads } of results) {
          for (const [rank, payload] of payloads) {
            const expected = sent[rank]!;
            check(payload.length === length, `The payload has ${payload.length} bytes, expected ${length}.`);
            check(
              payload.every((value, index) => value === expected[index]),
              `The payload of ${length} bytes differs.`,
            );
          }
        }
      }
    },
  },
  {
    name: 'the first contribution of a rank counts, also after the round has closed',
    async run(connect) {
      const channel = uniqueName('repeated');
      const transports = await several(connect, 2);
      const first = await together(transports, channel, 0);
      const again = await transports[1]!.gather(
        { channel, round: 0 },
        { rank: 1, workers: 2, payload: bytes(9), timeoutMs },
      );
      checkEqual(entries(again), entries(first[0]!), 'The repeated round');
    },
  },
  {
    name: 'a deadline closes a round with a quorum, and one who is late gets the same round',
    async run(connect) {
      const channel = uniqueName('quorum');
      const [a, b, late] = (await several(connect, 3)) as [Transport, Transport, Transport];
      const gather = (transport: Transport, rank: number) =>
        transport.gather(
          { channel, round: 0 },
          { rank, workers: 3, payload: bytes(rank), quorum: 2, deadlineMs: 30, timeoutMs },
        );
      const results = [...(await Promise.all([gather(a, 0), gather(b, 1)])), await gather(late, 2)];
      for (const result of results) {
        checkEqual(entries(result), { payloads: [0, 1].map((rank) => [rank, bytes(rank)]), complete: false }, 'It');
      }
    },
  },
  {
    name: 'a deadline that has passed closes the round as soon as there is a quorum',
    async run(connect) {
      const channel = uniqueName('late-quorum');
      const [a, b] = (await several(connect, 2)) as [Transport, Transport];
      const gather = (transport: Transport, rank: number, deadlineMs: number) =>
        transport.gather(
          { channel, round: 0 },
          { rank, workers: 3, payload: bytes(rank), quorum: 2, deadlineMs, timeoutMs },
        );
      const waiting = gather(a, 0, 1);
      await new Promise((resolve) => setTimeout(resolve, 30));
      // Its own deadline is far away.
      const results = [await gather(b, 1, timeoutMs - 1), await waiting];
      for (const { payloads } of results) checkEqual([...payloads.keys()], [0, 1], 'The voters');
    },
  },
  {
    name: 'a round without a quorum fails after its time, naming who is missing',
    async run(connect) {
      const channel = uniqueName('missing');
      const [transport] = (await several(connect, 1)) as [Transport];
      const contribution = { rank: 1, workers: 3, payload: bytes(1), timeoutMs: 60 };
      const error = await rejection(transport.gather({ channel, round: 4 }, contribution), 'WORKER_MISSING');
      checkEqual(error.value, [0, 2], 'The value of the error');
      check(error.message.includes(channel), 'The error does not name the channel.');
    },
  },
  {
    name: 'a signal ends the wait',
    async run(connect) {
      const channel = uniqueName('signal');
      const [transport] = (await several(connect, 1)) as [Transport];
      const controller = new AbortController();
      const waiting = transport.gather(
        { channel, round: 0 },
        { rank: 0, workers: 2, payload: bytes(0), timeoutMs, signal: controller.signal },
      );
      const ended = rejection(waiting, 'INTERRUPTED');
      controller.abort();
      await ended;
    },
  },
  {
    name: 'a place or a contribution that no round can have is refused',
    async run(connect) {
      const [transport] = (await several(connect, 1)) as [Transport];
      const good = { rank: 0, workers: 1, payload: bytes(0), timeoutMs };
      const wrong: [string, { channel?: string; round?: number }, Partial<Contribution>][] = [
        ['channel', { channel: 'a b' }, {}],
        ['round', { round: -1 }, {}],
        ['rank', {}, { rank: 1 }],
        ['workers', {}, { workers: 0.5 }],
        ['quorum', {}, { quorum: 2 }],
        ['deadlineMs', {}, { deadlineMs: timeoutMs }],
        ['timeoutMs', {}, { timeoutMs: 0 }],
      ];
      for (const [subject, place, part] of wrong) {
        const call = transport.gather({ channel: 'wrong', round: 0, ...place }, { ...good, ...part });
        checkEqual((await rejection(call, 'INVALID_ARGUMENT')).subject, subject, 'The subject of the error');
      }
    },
  },
];
