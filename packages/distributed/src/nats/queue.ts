import { LmdError } from '@lmd/core';
import { AckPolicy, DiscardPolicy, JetStreamApiError, RetentionPolicy } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/nats-core';
import { type Queue, type QueueItem, type QueueOptions, queuePriorities } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { nanoseconds, textOf, tokenOf } from './names.js';

/** The longest wait for an item of normal priority, after which a taker looks for others and at its signal. */
const longestWaitMs = 1000;
/** How much longer than the server a client waits for its answer. */
const marginMs = 2000;

/**
 * A queue as a stream with one message for each id, which stays when it is done, so that an id is never added twice.
 * Consumers that all takers share, one for each priority, know what is done. Payloads are limited by the server's
 * `max_payload`.
 */
export function natsQueue(context: NatsContext, name: string, { leaseMs = 30_000 }: QueueOptions = {}): Queue {
  const { js, manager, connection, prefix, storage, replicas } = context;
  const stream = `${prefix}-queue-${tokenOf(name)}`;
  const subject = `${prefix}.queue.${tokenOf(name)}`;
  let made: Promise<unknown> | undefined;
  const make = () =>
    call(context, `adding queue "${name}"`, async () => {
      await manager.streams.add({
        name: stream,
        subjects: [`${subject}.*.*`],
        retention: RetentionPolicy.Limits,
        storage,
        num_replicas: replicas,
        // A second message of a subject is refused.
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        discard_new_per_subject: true,
        allow_direct: true,
      });
      for (const priority of queuePriorities) {
        await manager.consumers.add(stream, {
          durable_name: priority,
          filter_subject: `${subject}.${priority}.*`,
          ack_policy: AckPolicy.Explicit,
          ack_wait: nanoseconds(leaseMs),
          max_deliver: -1,
          max_ack_pending: -1,
        });
      }
    });
  const ready = async () => {
    made ??= make();
    try {
      await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };

  /**
   * The next message of a priority, or undefined if there is none within the time. A request of its own, because the
   * client's waits at least a second.
   */
  async function next(priority: string, waitMs: number): Promise<Msg | undefined> {
    const how = waitMs > 0 ? { expires: nanoseconds(waitMs) } : { no_wait: true };
    const answer = await connection.request(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${priority}`,
      JSON.stringify({ batch: 1, ...how }),
      // Without the shared subscription of requests, which knows answers by their subject: this has that of the item.
      { timeout: waitMs + marginMs, noMux: true },
    );
    const status = answer.headers?.code ?? 0;
    if (status === 0) return answer;
    // No messages, or none within the time.
    if (status === 404 || status === 408) return undefined;
    throw new LmdError('TRANSPORT_FAILURE', `Queue "${name}": the server answers ${answer.headers!.description}.`, {
      subject: name,
      value: status,
      remedy: 'Check that nobody has deleted the stream of the queue.',
    });
  }

  return {
    async add(id, payload, { priority = 'normal' } = {}) {
      await ready();
      return call(context, `adding "${id}" to queue "${name}"`, async () => {
        try {
          await js.publish(`${subject}.${priority}.${tokenOf(id)}`, payload);
          return true;
        } catch (error) {
          if (error instanceof JetStreamApiError && error.code === alreadyThere) return false;
          throw error;
        }
      });
    },
    async remove(id) {
      await ready();
      await call(context, `removing "${id}" from queue "${name}"`, () =>
        manager.streams.purge(stream, { filter: `${subject}.*.${tokenOf(id)}` }),
      );
    },
    async take({ timeoutMs, signal }) {
      await ready();
      const end = performance.now() + timeoutMs;
      for (;;) {
        for (const priority of queuePriorities) {
          if (signal?.aborted === true) return undefined;
          const message = await call(context, `taking from queue "${name}"`, () => next(priority, 0));
          if (message !== undefined) return itemOf(context, name, message);
        }
        const left = end - performance.now();
        if (left <= 0) return undefined;
        const waitMs = Math.min(left, longestWaitMs);
        const message = await call(context, `taking from queue "${name}"`, () => next('normal', waitMs));
        if (message !== undefined) return itemOf(context, name, message);
      }
    },
  };
}

/** The server's error for a subject that has its message: "maximum messages per subject exceeded". */
const alreadyThere = 10077;

/** An item acknowledges by answers to its message: docs.nats.io, "JetStream wire API reference". */
function itemOf(context: NatsContext, name: string, message: Msg): QueueItem {
  const { connection } = context;
  const id = textOf(message.subject.split('.').at(-1)!);
  const answer = (what: string, text: string) =>
    call(context, `${what} of "${id}" in queue "${name}"`, async () => {
      message.respond(text);
      await connection.flush();
    });
  return {
    id,
    // A copy: in Node the data is a Buffer.
    payload: Uint8Array.from(message.data),
    delivery: deliveriesOf(message),
    async done() {
      await call(context, `finishing "${id}" in queue "${name}"`, () =>
        connection.request(message.reply!, '+ACK', { timeout: marginMs }),
      );
    },
    release: () => answer('release', '-NAK'),
    extend: () => answer('extension', '+WPI'),
  };
}

/** From the subject of the answer: `$JS.ACK.<stream>.<consumer>.<deliveries>.…`, or with domain and account first. */
function deliveriesOf({ reply }: Msg): number {
  const tokens = reply!.split('.');
  return Number(tokens[tokens.length < 11 ? 4 : 6]);
}
