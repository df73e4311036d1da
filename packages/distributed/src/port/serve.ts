import { LmdError } from '@lmd/core';
import type {
  Contribution,
  Membership,
  QueueItem,
  QueueOptions,
  QueuePriority,
  RoundPlace,
  Transport,
} from '../transport.js';
import { type Answer, type Port, plainError, type Request } from './messages.js';

/**
 * Lets the thread at the other end of a port use a transport of this one, by `portTransport`. Returns a function that
 * ends it; what the thread waits for is then aborted.
 */
export function serveTransport(transport: Transport, port: Port): () => void {
  const items = new Map<number, QueueItem>();
  const memberships = new Map<number, Membership>();
  const subscriptions = new Map<number, () => void>();
  const waits = new Map<number, AbortController>();
  let objects = 0;
  const send = (answer: Answer) => port.postMessage(answer);
  const item = (object: unknown) => items.get(object as number)!;

  const methods: Readonly<Record<string, (signal: AbortSignal, ...values: never[]) => Promise<unknown>>> = {
    gather: async (signal, place: RoundPlace, contribution: Contribution) =>
      transport.gather(place, { ...contribution, signal }),
    'queue.add': async (
      _,
      name: string,
      options: QueueOptions,
      id: string,
      payload: Uint8Array,
      priority: QueuePriority,
    ) => transport.queue(name, options).add(id, payload, { priority }),
    'queue.remove': async (_, name: string, options: QueueOptions, id: string) =>
      transport.queue(name, options).remove(id),
    async 'queue.take'(signal, name: string, options: QueueOptions, timeoutMs: number) {
      const taken = await transport.queue(name, options).take({ timeoutMs, signal });
      if (taken === undefined) return undefined;
      items.set(++objects, taken);
      const { id, payload, delivery } = taken;
      return { object: objects, id, payload, delivery };
    },
    'item.done': async (_, object: number) => item(object).done(),
    'item.release': async (_, object: number) => item(object).release(),
    'item.extend': async (_, object: number) => item(object).extend(),
    'store.put': async (_, key: string, value: Uint8Array) => transport.store.put(key, value),
    'store.get': async (_, key: string) => transport.store.get(key),
    'store.delete': async (_, key: string) => transport.store.delete(key),
    'store.keys': async (_, prefix: string) => transport.store.keys(prefix),
    'topics.publish': async (_, topic: string, payload: Uint8Array) => transport.topics.publish(topic, payload),
    async 'topics.subscribe'(_, topic: string, listener: number) {
      const end = await transport.topics.subscribe(topic, (payload) => send({ kind: 'message', listener, payload }));
      subscriptions.set(listener, end);
    },
    async 'topics.end'(_, listener: number) {
      subscriptions.get(listener)?.();
      subscriptions.delete(listener);
    },
    async 'members.join'(_, group: string, name: string) {
      const membership = await transport.members.join(group, name);
      memberships.set(++objects, membership);
      return { object: objects, name, rank: membership.rank };
    },
    'members.leave': async (_, object: number) => memberships.get(object)!.leave(),
    'members.list': async (_, group: string) => transport.members.list(group),
  };

  async function serve({ data }: { readonly data: unknown }): Promise<void> {
    const request = data as Request;
    const { id } = request;
    if (request.kind === 'abort') {
      waits.get(id)?.abort();
      return;
    }
    const wait = new AbortController();
    waits.set(id, wait);
    try {
      const method = methods[request.method];
      if (method === undefined) throw unknown(request.method);
      send({ kind: 'result', id, value: await method(wait.signal, ...(request.values as never[])) });
    } catch (error) {
      send({ kind: 'error', id, error: plainError(error) });
    } finally {
      waits.delete(id);
    }
  }

  const listener = (event: { readonly data: unknown }) => void serve(event);
  port.addEventListener('message', listener);
  port.start?.();
  return () => {
    port.removeEventListener('message', listener);
    for (const wait of waits.values()) wait.abort();
    for (const end of subscriptions.values()) end();
  };
}

function unknown(method: string): LmdError {
  return new LmdError('TRANSPORT_FAILURE', `The port asks for "${method}", which no transport has.`, {
    subject: method,
    remedy: 'Use the same version of @lmd/distributed at both ends.',
  });
}
