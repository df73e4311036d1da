import { Objm } from '@nats-io/obj';
import type { Store } from '../transport.js';
import { call, type NatsContext } from './context.js';

/** Times that a reader tries again when a key is replaced while it reads. */
const attempts = 3;

/** A store as a bucket of objects, which the client divides into messages and whose SHA-256 it checks. */
export async function natsStore(context: NatsContext): Promise<Store> {
  const { js, prefix, storage, replicas } = context;
  const bucket = await call(context, 'opening the store', () =>
    new Objm(js).create(`${prefix}-store`, { storage, replicas }),
  );
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
      call(context, 'listing the store', async () =>
        (await bucket.list())
          .map(({ name }) => name)
          .filter((name) => name.startsWith(prefix))
          .sort(),
      ),
  };
}
