import { closed } from '../errors.js';
import { transportMarker } from '../marker.js';
import type { GatheredRound, Member, Queue, QueueItem, QueueOptions, Transport } from '../transport.js';
import { type Answer, errorOf, type Port, type Request } from './messages.js';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The transport that another thread serves at the other end of a port (`serveTransport`): for workers as threads of one
 * process, in Node or in a browser, each with a backend of its own.
 */
export function portTransport(port: Port): Transport {
  const name = 'port';
  const pending = new Map<number, Pending>();
  const listeners = new Map<number, (payload: Uint8Array) => void>();
  let [calls, subscriptions] = [0, 0];
  let isClosed = false;
  const send = (request: Request) => port.postMessage(request);

  const receive = ({ data }: { readonly data: unknown }) => {
    const answer = data as Answer;
    if (answer.kind === 'message') {
      listeners.get(answer.listener)?.(answer.payload);
      return;
    }
    const call = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.kind === 'result') call?.resolve(answer.value as never);
    else call?.reject(errorOf(answer.error));
  };
  port.addEventListener('message', receive);
  port.start?.();

  function call<T>(method: string, values: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (isClosed) return Promise.reject(closed(name));
    const id = calls++;
    const abort = () => send({ kind: 'abort', id });
    const answered = new Promise<T>((resolve, reject) => pending.set(id, { resolve, reject }));
    send({ kind: 'call', id, method, values });
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort);
    return answered.finally(() => signal?.removeEventListener('abort', abort));
  }

  function queueOf(queue: string, options: QueueOptions = {}): Queue {
    return {
      add: (id, payload, { priority = 'normal' } = {}) => call('queue.add', [queue, options, id, payload, priority]),
      remove: (id) => call('queue.remove', [queue, options, id]),
      async take({ timeoutMs, signal }) {
        type Taken = Pick<QueueItem, 'id' | 'payload' | 'delivery'> & { readonly object: number };
        const taken = await call<Taken | undefined>('queue.take', [queue, options, timeoutMs], signal);
        if (taken === undefined) return undefined;
        const { object, ...item } = taken;
        return {
          ...item,
          done: () => call('item.done', [object]),
          release: () => call('item.release', [object]),
          extend: () => call('item.extend', [object]),
        };
      },
    };
  }

  return {
    ...transportMarker,
    name,
    // A signal cannot be sent.
    gather: (place, { signal, ...contribution }) => call<GatheredRound>('gather', [place, contribution], signal),
    queue: queueOf,
    store: {
      put: (key, value) => call('store.put', [key, value]),
      get: (key) => call('store.get', [key]),
      delete: (key) => call('store.delete', [key]),
      keys: (prefix = '') => call('store.keys', [prefix]),
    },
    topics: {
      publish: (topic, payload) => call('topics.publish', [topic, payload]),
      async subscribe(topic, listener) {
        const id = subscriptions++;
        listeners.set(id, listener);
        await call('topics.subscribe', [topic, id]);
        return () => {
          listeners.delete(id);
          call('topics.end', [id]).catch(() => {});
        };
      },
    },
    members: {
      async join(group, member) {
        const { object, ...joined } = await call<Member & { readonly object: number }>('members.join', [group, member]);
        return { ...joined, leave: () => call('members.leave', [object]) };
      },
      list: (group) => call('members.list', [group]),
    },
    async close() {
      isClosed = true;
      for (const { reject } of pending.values()) reject(closed(name));
      pending.clear();
      port.removeEventListener('message', receive);
      port.close?.();
    },
  };
}
