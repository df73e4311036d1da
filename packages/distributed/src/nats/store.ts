import { Objm } from '@nats-io/obj';
import type { Store } from '../transport.js';
import { call, type NatsContext } from './context.js';

/** Times that a reader tries again when a key is replaced while it reads. */
const attempts = 3;

/** A store as a bucket of objects, which the client divides into messages and whose SHA-256 it checks. */
export async function natsStore(context: NatsContext): Promise<Store> {
  const { js, manager, prefix, storage, replicas } = context;
  const name = `${prefix}-store`;
  const bucket = await call(context, 'opening the store', () => new Objm(js).create(name, { storage, replicas }));
  const subjects = `$O.${name}.M.`;
  async function read(key: string, left: number): Promise<Uint8Array | null> {
    try {
      return await bucket.getBlob(key);
    } catch (error) {
      if (left <= 1) throw error;
      return read(key, left - 1);
    }
  }
  const isThere = async (key: string) => (await bucket.info(key))?.deleted === false;
  return {
    put: async (key, value) => {
      await call(context, `writing "${key}"`, () => bucket.putBlob({ name: key }, value));
    },
    get: (key) =>
      call(context, `reading "${key}"`, async () =>
        (await isThere(key)) ? ((await read(key, attempts)) ?? undefined) : undefined,
      ),
    delete: (key) =>
      call(context, `deleting "${key}"`, async () => {
        if (await isThere(key)) await bucket.delete(key);
      }),
    keys: (prefix = '') =>
      call(context, 'listing the store', async () => {
        // By the subjects of their descriptions. The client's own list leaves a consumer on the server for minutes.
        const { state } = await manager.streams.info(`OBJ_${name}`, { subjects_filter: `${subjects}>` });
        const keys = Object.keys(state.subjects ?? {})
          .map((subject) => keyOf(subject.slice(subjects.length)))
          .filter((key) => key.startsWith(prefix));
        // A deleted object has a description, too.
        const there = await Promise.all(keys.map(isThere));
        return keys.filter((_, index) => there[index]).sort();
      }),
  };
}

/** The key of a subject's last part, which has it in base64 for addresses. */
function keyOf(encoded: string): string {
  return atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
}
