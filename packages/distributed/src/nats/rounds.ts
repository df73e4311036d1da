import { DeliverPolicy, DiscardPolicy, RetentionPolicy } from '@nats-io/jetstream';
import { checkContribution } from '../contribution.js';
import { closed, forgotten, workerMissing } from '../errors.js';
import { PayloadMemory } from '../payload-memory.js';
import type { Contribution, GatheredRound, RoundPlace, Transport } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { nanoseconds } from './names.js';
import { Receipts } from './receipts.js';
import { Reconnections } from './reconnections.js';
import { maxPayload, messageOf, publishParts } from './round-messages.js';
import { Sending } from './sending.js';
import { DamagedContribution, Tally } from './tally.js';
import { Wait } from './wait.js';

/** Time in milliseconds after which the server removes a consumer that nobody uses. */
const consumerMs = 30_000;
/** Bytes that a reader asks for at once. */
const mostUnreadBytes = 2 ** 24;
/** Time in milliseconds of a request for messages: one that was lost with a connection is repeated after it. */
const pullMs = 10_000;

/**
 * Rounds as messages of one stream, whose order is the same for all who read it. A contribution is a message for each
 * part of it, with the subject `<prefix>.rounds.<channel>.<round>.<rank>`; permissions of the server may allow each
 * worker its own rank alone. A round closed by a deadline has a message `close` from the first who waited that long.
 * Receipts (`Receipts`) have the subject `<prefix>.receipts.<channel>.<round>.<rank of the receiver>`.
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
  const receipts = new Receipts(connection, ({ channel }) => `${prefix}.receipts.${channel.replaceAll('/', '.')}`);
  const roundSubject = (place: RoundPlace) => `${channelSubject(place)}.${place.round}`;

  /** Whether a round is no longer stored. Without this, one who is very late would open it again. */
  async function refuseForgotten(place: RoundPlace): Promise<void> {
    const last = await manager.streams.getMessage(stream, { last_by_subj: forgottenSubject(place) });
    if (last !== null && place.round <= Number(last.string())) throw forgotten(place);
  }

  /**
   * Reads the messages of a round from its first until it closes, or until the connection was made again: then messages
   * may be lost that the server does not deliver again to this consumer.
   *
   * @param ranks those whose messages are read; `*` is all, and `close`.
   * @throws DamagedContribution
   */
  async function read(
    place: RoundPlace,
    contribution: Contribution,
    wait: Wait,
    tally: Tally,
    ranks: readonly (number | '*')[],
  ): Promise<void> {
    const consumer = await js.consumers.get(stream, {
      filter_subjects: ranks.map((rank) => `${roundSubject(place)}.${rank}`),
      deliver_policy: DeliverPolicy.All,
      // Of a worker that was killed. A server has room for a thousand consumers of a stream.
      inactive_threshold: consumerMs,
    });
    const messages = await consumer.consume({
      // A server closes a connection to which more than 64 MB are on their way (`max_pending`).
      max_messages: Math.max(1, Math.floor(mostUnreadBytes / maxPayload(context))),
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
      wait.stopped();
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
    const sending = new Sending(place, contribution, {
      receipts,
      wait,
      publish: (attempt, mustBeFirst) =>
        publishParts(context, reconnections, place, contribution, {
          subject: roundSubject(place),
          attempt,
          mustBeFirst,
        }),
    });
    try {
      for (;;) {
        const { attempts, isRead, readRanks } = sending;
        const counted = (rank: number, attempt: string) => sending.counted(rank, attempt);
        const tally = new Tally({ contribution, attempts, isRead }, ignored, memory, counted);
        try {
          await read(place, contribution, wait, tally, readRanks);
        } catch (error) {
          if (!(error instanceof DamagedContribution)) throw error;
          sending.damaged(error.rank);
          const times = (damaged.get(error.id) ?? 0) + 1;
          damaged.set(error.id, times);
          if (times < 2) continue;
          ignored.add(error.id);
          // The one whose contribution it is reads it too.
          if (error.rank === contribution.rank) sending.send();
          continue;
        }
        if (tally.result === undefined) {
          if (connection.isClosed()) throw closed(`NATS at ${connection.getServer()}`);
          continue;
        }
        if (!isRead && !(await sending.isStored())) continue;
        wait.throwFailure();
        handedOut.set(reader, tally.taken);
        forget(place, contribution).catch(() => undefined);
        return tally.result;
      }
    } finally {
      sending.end();
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
