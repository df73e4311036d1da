import { bytes, check, checkEqual, type TransportTest, uniqueName } from './test.js';

export const storeTests: readonly TransportTest[] = [
  {
    name: 'the store keeps the newest version of each key, for all workers',
    async run(connect) {
      const [a, b] = [(await connect()).store, (await connect()).store];
      const prefix = `${uniqueName('store')}/`;
      checkEqual(await a.get(`${prefix}none`), undefined, 'A key that was never put');
      await a.put(`${prefix}b`, bytes(1));
      await a.put(`${prefix}a`, new Uint8Array());
      await b.put(`${prefix}b`, bytes(2, 300_000));
      const value = await a.get(`${prefix}b`);
      const expected = bytes(2, 300_000);
      check(
        value?.length === expected.length && value.every((byte, index) => byte === expected[index]),
        'The value is not the newest.',
      );
      checkEqual((await b.get(`${prefix}a`))?.length, 0, 'The length of the empty value');
      checkEqual(await b.keys(prefix), [`${prefix}a`, `${prefix}b`], 'The keys');
      await b.delete(`${prefix}b`);
      await b.delete(`${prefix}none`);
      checkEqual(
        [await a.get(`${prefix}b`), await a.keys(prefix)],
        [undefined, [`${prefix}a`]],
        'After the deletion, it',
      );
    },
  },
];

export const topicTests: readonly TransportTest[] = [
  {
    name: 'a message reaches all who listen to its topic, and no others',
    async run(connect) {
      const [a, b] = [(await connect()).topics, (await connect()).topics];
      const topic = uniqueName('topic');
      const received: Record<string, string[]> = { a: [], b: [], other: [] };
      const listen = (to: typeof a, name: string, about: string) =>
        to.subscribe(about, (payload) => void received[name]!.push(payload.join(' ')));
      const ends = [await listen(a, 'a', topic), await listen(b, 'b', topic), await listen(b, 'other', `${topic}2`)];
      const until = async (count: number) => {
        while (received.a!.length < count || received.b!.length < count) {
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await a.publish(topic, bytes(1));
      await a.publish(topic, bytes(2));
      await until(2);
      const both = [bytes(1).join(' '), bytes(2).join(' ')];
      checkEqual(received, { a: both, b: both, other: [] }, 'What was received');
      ends[0]!();
      await b.publish(topic, bytes(3));
      while (received.b!.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      checkEqual(received.a, both, 'What was received after the end');
      for (const end of ends) end();
    },
  },
];

export const memberTests: readonly TransportTest[] = [
  {
    name: 'members get the lowest free rank, each its own',
    async run(connect) {
      const group = uniqueName('members');
      const transports = await Promise.all([connect(), connect(), connect()]);
      const members = await Promise.all(
        transports.map((transport, index) => transport.members.join(group, `worker ${index}`)),
      );
      checkEqual(members.map(({ rank }) => rank).sort(), [0, 1, 2], 'The ranks');
      const [a] = transports;
      const named = (await a.members.list(group)).map(({ name, rank }) => ({ name, rank }));
      const expected = members.map(({ name, rank }) => ({ name, rank })).sort((x, y) => x.rank - y.rank);
      checkEqual(named, expected, 'The list');
      const middle = members.find(({ rank }) => rank === 1)!;
      await middle.leave();
      checkEqual(
        (await a.members.list(group)).map(({ rank }) => rank),
        [0, 2],
        'The ranks after one has left',
      );
      const next = await a.members.join(group, 'new');
      checkEqual(next.rank, 1, 'The rank of the next');
      for (const member of [...members.filter((member) => member !== middle), next]) await member.leave();
      checkEqual(await a.members.list(group), [], 'The list in the end');
    },
  },
];
