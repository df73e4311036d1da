import type { Topics } from '../transport.js';
import { call, type NatsContext } from './context.js';
import { tokenOf } from './names.js';

/** Topics as plain subjects, without JetStream. */
export function natsTopics(context: NatsContext): Topics {
  const { connection, prefix } = context;
  const subjectOf = (topic: string) => `${prefix}.topics.${tokenOf(topic)}`;
  return {
    publish: (topic, payload) =>
      call(context, `publishing to "${topic}"`, async () => connection.publish(subjectOf(topic), payload)),
    subscribe: (topic, listener) =>
      call(context, `subscribing to "${topic}"`, async () => {
        const subscription = connection.subscribe(subjectOf(topic), {
          // A copy: in Node the data is a Buffer.
          callback(error, message) {
            if (error === null) listener(Uint8Array.from(message.data));
          },
        });
        // The server knows of it before the caller goes on.
        await connection.flush();
        return () => subscription.unsubscribe();
      }),
  };
}
