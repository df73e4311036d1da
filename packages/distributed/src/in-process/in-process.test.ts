import { describe, expect, it } from 'vitest';
import { transportTests } from '../conformance/index.js';
import { inProcessTransport } from '../index.js';

describe('the in-process transport', () => {
  const transport = inProcessTransport();
  it.each(transportTests)('$name', ({ run }) => run(async () => transport));

  it('forgets old rounds of a channel, and says so', async () => {
    const small = inProcessTransport({ retainedRounds: 3 });
    const gather = (round: number) =>
      small.gather({ channel: 'c', round }, { rank: 0, workers: 1, payload: Uint8Array.of(round), timeoutMs: 1000 });
    for (let round = 0; round < 5; round++) await gather(round);
    await expect(gather(1)).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE', subject: 'c', value: 1 });
    expect((await gather(2)).payloads.get(0)).toEqual(Uint8Array.of(2));
  });

  it('passes lent payloads on without a copy where nobody can ask for an older round, and copies others', async () => {
    const payload = Uint8Array.of(1, 2, 3);
    const sent = async (retainedRounds: number, isLent: boolean) => {
      const contribution = { rank: 0, workers: 1, payload, timeoutMs: 1000, isLent };
      const { payloads } = await inProcessTransport({ retainedRounds }).gather(
        { channel: 'c', round: 0 },
        contribution,
      );
      expect(payloads.get(0)).toEqual(payload);
      return payloads.get(0);
    };
    expect(await sent(1, true)).toBe(payload);
    expect(await sent(1, false)).not.toBe(payload);
    expect(await sent(2, true)).not.toBe(payload);
  });

  it('ends what waits when it is closed', async () => {
    const short = inProcessTransport();
    const contribution = { rank: 0, workers: 2, payload: new Uint8Array(), timeoutMs: 60_000 };
    const waiting = short.gather({ channel: 'c', round: 0 }, contribution);
    const taking = short.queue('q').take({ timeoutMs: 60_000 });
    await short.close();
    await expect(waiting).rejects.toMatchObject({ code: 'TRANSPORT_FAILURE' });
    await expect(taking).resolves.toBeUndefined();
    await expect(short.gather({ channel: 'c', round: 1 }, contribution)).rejects.toThrow('is closed');
  });
});
