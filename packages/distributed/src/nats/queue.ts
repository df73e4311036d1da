import { AckPolicy, DiscardPolicy, JetStreamApiError, type JsMsg, RetentionPolicy } from '@nats-io/jetstream';
import type { Queue, QueueItem, QueueOptions } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { nanoseconds, textOf, tokenOf } from './names.js';

/** The shortest wait of a client for a message. */
const shortestWaitMs = 1000;
/** The longest, after which it looks at its signal. */
const longestWaitMs = 5000;

/**
 * A queue as a stream with one message for each id, which stays when it is done, so that an id is never added twice; a
 * consumer that all takers share knows what is done. Payloads are limited by the server's `max_payload`.
 */
export function natsQueue(context: NatsContext, name: string, { leaseMs = 30_000 }: QueueOptions = {}): Queue {
  const { js, manager, prefix, storage, replicas } = context;
  const stream = `${prefix}-queue-${tokenOf(name)}`;
  const subject = `${prefix}.queue.${tokenOf(name)}`;
  let made: Promise<unknown> | undefined;
  const ready = () => {
    made ??= call(context, `adding queue "${name}"`, async () => {
      await manager.streams.add({
        name: stream,
        subjects: [`${subject}.*`],
        retention: RetentionPolicy.Limits,
        storage,
        num_replicas: replicas,
        // A second message of a subject is refused.
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        discard_new_per_subject: true,
      });
      await manager.consumers.add(stream, {
        durable_name: 'takers',
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanoseconds(leaseMs),
        max_deliver: -1,
      });
    });
    return made;
  };

  return {
    async add(id, payload) {
      await ready();
      return call(context, `adding "${id}" to queue "${name}"`, async () => {
        try {
          await js.publish(`${subject}.${tokenOf(id)}`, payload);
          return true;
        } catch (error) {
          if (error instanceof JetStreamApiError && error.code === alreadyThere) return false;
          throw error;
        }
      });
    },
    async take({ timeoutMs, signal }) {
      await ready();
      return call(context, `taking from queue "${name}"`, async () => {
        const consumer = await js.consumers.get(stream, 'takers');
        const end = performance.now() + timeoutMs;
        for (;;) {
          const left = end - performance.now();
          if (left <= 0 || signal?.aborted === true) return undefined;
          const expires = Math.min(Math.max(left, shortestWaitMs), longestWaitMs);
          const message = await consumer.next({ expires });
          if (message !== null) return itemOf(context, name, message);
        }
      });
    },
  };
}

/** The server's error for a subject that has its message: "maximum messages per subject exceeded". */
const alreadyThere = 10077;

function itemOf(context: NatsContext, name: string, message: JsMsg): QueueItem {
  const id = textOf(message.subject.split('.').at(-1)!);
  const flush = (what: string) =>
    call(context, `${what} of "${id}" in queue "${name}"`, () => context.connection.flush());
  return {
    id,
    // A copy: in Node the data is a Buffer.
    payload: Uint8Array.from(message.data),
    delivery: message.info.deliveryCount,
    async done() {
      await call(context, `finishing "${id}" in queue "${name}"`, () => message.ackAck());
    },
    async release() {
      message.nak();
      await flush('release');
    },
    async extend() {
      message.working();
      await flush('extension');
    },
  };
}
