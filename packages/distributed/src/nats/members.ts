import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { nuid } from '@nats-io/nats-core';
import type { Member, Members } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { tokenOf } from './names.js';

/** The value of a key. */
interface Entry {
  readonly name: string;
  readonly id: string;
}

const isOtherRevision = (error: unknown) =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;

/**
 * Members as keys `<group>.<rank>` that end `memberMs` after they were last written; a member writes its key again
 * three times in that time, until it leaves. Creating a key succeeds for one of several at once.
 */
export async function natsMembers(
  context: NatsContext,
  memberMs: number,
): Promise<{ readonly members: Members; stop(): void }> {
  const { js, prefix, storage, replicas } = context;
  const bucket = await call(context, 'opening the members', () =>
    new Kvm(js).create(`${prefix}-members`, { storage, replicas, ttl: memberMs }),
  );
  const timers = new Set<ReturnType<typeof setInterval>>();
  const keyOf = (group: string, rank: number) => `${tokenOf(group)}.${rank}`;

  async function firstFree(group: string, value: string): Promise<number> {
    for (let rank = 0; ; rank++) {
      try {
        await bucket.create(keyOf(group, rank), value);
        return rank;
      } catch (error) {
        if (!isOtherRevision(error)) throw error;
      }
    }
  }

  const members: Members = {
    join: (group, name) =>
      call(context, `joining group "${group}"`, async () => {
        // The id tells whether a key is still that of this membership.
        const value = JSON.stringify({ name, id: nuid.next() } satisfies Entry);
        const rank = await firstFree(group, value);
        const key = keyOf(group, rank);
        const renew = async () => {
          try {
            const found = await bucket.get(key);
            if (found?.string() === value) await bucket.update(key, value, found.revision);
          } catch {
            // Without a server the key ends, and so does the membership.
          }
        };
        const timer = setInterval(renew, memberMs / 3);
        (timer as { unref?: () => void }).unref?.();
        timers.add(timer);
        return {
          name,
          rank,
          leave: async () => {
            clearInterval(timer);
            timers.delete(timer);
            await call(context, `leaving group "${group}"`, async () => {
              const found = await bucket.get(key);
              if (found?.string() === value) await bucket.delete(key, { previousSeq: found.revision });
            });
          },
        };
      }),
    list: (group) =>
      call(context, `listing group "${group}"`, async () => {
        const found: Member[] = [];
        for await (const key of await bucket.keys(`${tokenOf(group)}.*`)) {
          const entry = await bucket.get(key);
          if (entry === null || entry.operation !== 'PUT') continue;
          found.push({ name: (entry.json() as Entry).name, rank: Number(key.split('.').at(-1)) });
        }
        return found.sort((a, b) => a.rank - b.rank);
      }),
  };
  return {
    members,
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
