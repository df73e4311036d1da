import { LmdError } from '@lmd/core';
import { DeliverPolicy, DiscardPolicy, type JsMsg, RetentionPolicy } from '@nats-io/jetstream';
import { headers, nuid } from '@nats-io/nats-core';
import { checkContribution } from '../contribution.js';
import { closed, forgotten, workerMissing } from '../errors.js';
import { PayloadMemory } from '../payload-memory.js';
import type { Contribution, GatheredRound, RoundPlace, Transport } from '../transport.js';
import { checksumOf } from './checksum.js';
import { call, type NatsContext } from './context.js';
import { nanoseconds } from './names.js';
import { Reconnections } from './reconnections.js';
import { DamagedContribution, type RoundMessage, Tally } from './tally.js';
import { Wait } from './wait.js';

/** Room for subject and headers in a message. */
const overheadBytes = 4096;
/** Number of messages that are on their way to the server at once. */
const window = 8;
/** Time in milliseconds for the answer to a part, which on a busy machine waits for those before it. */
const partTimeoutMs = 30_000;
/** Time in milliseconds after which the server removes a consumer that nobody uses. */
const consumerMs = 30_000;
/** Bytes that a reader asks for at once. */
const mostUnreadBytes = 2 ** 24;
/** Time in milliseconds of a request for messages: one that was lost with a connection is repeated after it. */
const pullMs = 10_000;
/** Bounds what a message that is not of a worker can make a reader allocate. */
const mostParts = 2 ** 16;
/** Largest `max_payload` that a server allows. */
const mostPartBytes = 2 ** 26;

/**
 * Rounds as messages of one stream, whose order is the same for all who read it. A contribution is a message for each
 * part of it, with the subject `<prefix>.rounds.<channel>.<round>.<rank>`; permissions of the server may allow each
 * worker its own rank alone. A round closed by a deadline has a message `close` from the first who waited that long.
 */
export async function natsRounds(context: NatsContext): Promise<Transport['gather']> {
  const { connection, js, manager, prefix, storage, replicas, retainedRounds, retainMs } = context;
  const stream = `${prefix}-rounds`;
  const reconnections = new Reconnections(connection);
  const memory = new PayloadMemory();
  /** What each worker, by its channel and rank, has of its last round: until it asks for the next one. */
  const handedOut = new Map<string, readonly Uint8Array[]>();
  await call(context, `adding stream ${stream}`, () =>
    manager.streams.add({
      name: stream,
      subjects: [`${prefix}.rounds.>`, `${prefix}.forgotten.>`],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      storage,
      num_replicas: replicas,
      max_age: nanoseconds(retainMs),
      allow_direct: true,
    }),
  );
  const channelSubject = ({ channel }: RoundPlace) => `${prefix}.rounds.${channel.replaceAll('/', '.')}`;
  /** Has the number of the newest round of a channel that is not stored any more. */
  const forgottenSubject = ({ channel }: RoundPlace) => `${prefix}.forgotten.${channel.replaceAll('/', '.')}`;
  const roundSubject = (place: RoundPlace) => `${channelSubject(place)}.${place.round}`;

  const maxPayload = () => connection.info?.max_payload ?? 2 ** 20;

  /** Whether a round is no longer stored. Without this, one who is very late would open it again. */
  async function refuseForgotten(place: RoundPlace): Promise<void> {
    const last = await manager.streams.getMessage(stream, { last_by_subj: forgottenSubject(place) });
    if (last !== null && place.round <= Number(last.string())) throw forgotten(place);
  }

  async function publish(place: RoundPlace, { rank, payload }: Contribution, attempt: string): Promise<void> {
    const size = maxPayload() - overheadBytes;
    const parts = Math.max(1, Math.ceil(payload.length / size));
    const hash = checksumOf(payload);
    let next = 0;
    async function publishParts(): Promise<void> {
      while (next < parts) {
        const part = next++;
        const from = part * size;
        const head = headers();
        head.set('Lmd-Part', JSON.stringify({ attempt, part, parts, length: payload.length, from, hash }));
        // Each part is patient on its own: with its id it is stored once, however often it is sent.
        await call(
          context,
          `part ${part + 1} of ${parts} of round ${place.round} of "${place.channel}" by rank ${rank}`,
          () =>
            reconnections.orLost(
              js.publish(`${roundSubject(place)}.${rank}`, payload.subarray(from, from + size), {
                headers: head,
                msgID: `${attempt} ${part}`,
                timeout: partTimeoutMs,
              }),
            ),
        );
      }
    }
    await Promise.all(Array.from({ length: Math.min(window, parts) }, publishParts));
  }

  /**
   * Reads the messages of a round from its first until it closes, or until the connection was made again: then messages
   * may be lost that the server does not deliver again to this consumer.
   *
   * @throws DamagedContribution
   */
  async function read(place: RoundPlace, contribution: Contribution, wait: Wait, tally: Tally): Promise<void> {
    const consumer = await js.consumers.get(stream, {
      filter_subjects: [`${roundSubject(place)}.*`],
      deliver_policy: DeliverPolicy.All,
      // Of a worker that was killed. A server has room for a thousand consumers of a stream.
      inactive_threshold: consumerMs,
    });
    const messages = await consumer.consume({
      // A server closes a connection to which more than 64 MB are on their way (`max_pending`).
      max_messages: Math.max(1, Math.floor(mostUnreadBytes / maxPayload())),
      expires: pullMs,
    });
    let isCloseSent = false;
    wait.begin({
      stop: () => messages.stop(),
      passed() {
        if (isCloseSent || !tally.hasQuorum || tally.result !== undefined) return;
        isCloseSent = true;
        js.publish(`${roundSubject(place)}.close`, new Uint8Array()).catch((error) => wait.fail(error));
      },
    });
    wait.missing = () => workerMissing(place, contribution, tally.payloads);
    const end = reconnections.subscribe(() => messages.stop());
    try {
      for await (const message of messages) {
        tally.add(messageOf(message));
        if (tally.result !== undefined) break;
        wait.look();
      }
    } finally {
      end();
      messages.stop();
      // The client leaves that to the server, which would do it minutes later.
      consumer.delete().catch(() => undefined);
    }
    wait.throwFailure();
  }

  async function gather(place: RoundPlace, contribution: Contribution): Promise<GatheredRound> {
    const reader = `${place.channel} ${contribution.rank}`;
    for (const payload of handedOut.get(reader) ?? []) memory.giveBack(payload);
    handedOut.delete(reader);
    await refuseForgotten(place);
    const wait = new Wait(place, contribution);
    /** Times that an attempt was read damaged. Twice means that it is stored so: the way to here changes other bits. */
    const damaged = new Map<string, number>();
    const ignored = new Set<string>();
    const attempts = new Set<string>();
    const send = () => {
      const attempt = nuid.next();
      attempts.add(attempt);
      publish(place, contribution, attempt).catch((error) => wait.fail(error));
    };
    if (contribution.signal?.aborted !== true) send();
    try {
      for (;;) {
        const tally = new Tally({ contribution, attempts }, ignored, memory);
        try {
          await read(place, contribution, wait, tally);
        } catch (error) {
          if (!(error instanceof DamagedContribution)) throw error;
          const times = (damaged.get(error.id) ?? 0) + 1;
          damaged.set(error.id, times);
          if (times < 2) continue;
          ignored.add(error.id);
          // The one whose contribution it is reads it too.
          if (error.rank === contribution.rank) send();
          continue;
        }
        if (tally.result === undefined) {
          if (connection.isClosed()) throw closed(`NATS at ${connection.getServer()}`);
          continue;
        }
        handedOut.set(reader, tally.taken);
        forget(place, contribution).catch(() => undefined);
        return tally.result;
      }
    } finally {
      wait.end();
    }
  }

  /** Removes a round that is too old. One worker is enough, and nobody waits: what is left over ends with its age. */
  async function forget(place: RoundPlace, { rank }: Contribution): Promise<void> {
    const old = place.round - retainedRounds;
    if (rank !== 0 || old < 0) return;
    const subject = forgottenSubject(place);
    const purge = () => manager.streams.purge(stream, { filter: `${roundSubject({ ...place, round: old })}.*` });
    // First the number, or one who is late would open the round again; unless there is no room for it.
    await js.publish(subject, String(old)).catch(() => purge().then(() => js.publish(subject, String(old))));
    await manager.streams.purge(stream, { filter: subject, keep: 1 });
    await purge();
  }

  return async (place, contribution) => {
    checkContribution(place, contribution);
    if (connection.isClosed()) throw closed(`NATS at ${connection.getServer()}`);
    return call(context, `round ${place.round} of "${place.channel}"`, () => gather(place, contribution));
  };
}

function messageOf({ subject, headers: head, data }: JsMsg): RoundMessage {
  const last = subject.split('.').at(-1)!;
  if (last === 'close') return { kind: 'close' };
  try {
    const { attempt, part, parts, length, from, hash } = JSON.parse(head!.get('Lmd-Part'));
    const rank = Number(last);
    const numbers = [rank, part, parts, length, from];
    const isValid = numbers.every((value) => Number.isSafeInteger(value) && value >= 0) && part < parts;
    if (!isValid || parts > mostParts || length > parts * mostPartBytes) {
      throw new RangeError('The rank, the number of the part or the length is out of range.');
    }
    return { kind: 'part', rank, attempt, part, parts, length, from, hash, bytes: data };
  } catch (cause) {
    throw new LmdError('TRANSPORT_FAILURE', `A message at ${subject} is not one of a round.`, {
      subject,
      remedy: 'Let only workers of the run publish there.',
      cause,
    });
  }
}
