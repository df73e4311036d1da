import { bytes, check, checkEqual, type TransportTest, uniqueName } from './test.js';

const timeoutMs = 60_000;

export const queueTests: readonly TransportTest[] = [
  {
    name: 'a queue delivers each item to one taker, in order',
    async run(connect) {
      const [a, b] = [await connect(), await connect()];
      const name = uniqueName('order');
      for (let index = 0; index < 4; index++) await a.queue(name).add(`item-${index}`, bytes(index));
      const taken: string[] = [];
      for (const transport of [b, a, b, a]) {
        const item = await transport.queue(name).take({ timeoutMs });
        check(item !== undefined, 'There is no item.');
        checkEqual([item.payload, item.delivery], [bytes(taken.length), 1], 'The item');
        taken.push(item.id);
        await item.done();
      }
      checkEqual(taken, ['item-0', 'item-1', 'item-2', 'item-3'], 'The order');
      check((await a.queue(name).take({ timeoutMs: 50 })) === undefined, 'There is an item that was done.');
    },
  },
  {
    name: 'a queue takes an id once',
    async run(connect) {
      const queue = (await connect()).queue(uniqueName('once'));
      checkEqual([await queue.add('a', bytes(1)), await queue.add('a', bytes(2))], [true, false], 'The results');
      const item = await queue.take({ timeoutMs });
      checkEqual(item!.payload, bytes(1), 'The payload');
      await item!.done();
      checkEqual(await queue.add('a', bytes(3)), false, 'The result for an id that is done');
      check((await queue.take({ timeoutMs: 50 })) === undefined, 'The id was delivered again.');
    },
  },
  {
    name: 'a taker waits for an item',
    async run(connect) {
      const queue = (await connect()).queue(uniqueName('wait'));
      const waiting = queue.take({ timeoutMs });
      await queue.add('late', bytes(1));
      const item = await waiting;
      checkEqual(item?.id, 'late', 'The id');
      await item!.done();
    },
  },
  {
    name: 'an item that is neither done nor extended is delivered again',
    async run(connect) {
      const [a, b] = [await connect(), await connect()];
      const name = uniqueName('lease');
      const options = { leaseMs: 150 };
      await a.queue(name, options).add('item', bytes(1));
      const lost = await a.queue(name, options).take({ timeoutMs });
      checkEqual(lost!.delivery, 1, 'The first delivery');
      const again = await b.queue(name, options).take({ timeoutMs });
      checkEqual([again!.id, again!.payload, again!.delivery], ['item', bytes(1), 2], 'The second delivery');
      await again!.done();
      check(
        (await b.queue(name, options).take({ timeoutMs: 400 })) === undefined,
        'It was delivered after it was done.',
      );
    },
  },
  {
    name: 'an item that is released is delivered at once, and one that is extended is not',
    async run(connect) {
      const [a, b] = [await connect(), await connect()];
      const name = uniqueName('release');
      const options = { leaseMs: 3_600_000 };
      await a.queue(name, options).add('item', bytes(1));
      const first = await a.queue(name, options).take({ timeoutMs });
      await first!.extend();
      check((await b.queue(name, options).take({ timeoutMs: 50 })) === undefined, 'Two takers have one item.');
      await first!.release();
      const second = await b.queue(name, options).take({ timeoutMs });
      checkEqual([second!.id, second!.delivery], ['item', 2], 'The second delivery');
      await second!.done();
    },
  },
  {
    name: 'items of a higher priority are delivered first',
    async run(connect) {
      const queue = (await connect()).queue(uniqueName('priority'));
      for (const [id, priority] of [
        ['a', 'low'],
        ['b', 'normal'],
        ['c', 'high'],
        ['d', 'normal'],
        ['e', 'high'],
      ] as const) {
        checkEqual(await queue.add(id, bytes(1), { priority }), true, 'The result');
      }
      const taken: string[] = [];
      for (let item = await queue.take({ timeoutMs }); item !== undefined; item = await queue.take({ timeoutMs: 50 })) {
        taken.push(item.id);
        await item.done();
      }
      checkEqual(taken, ['c', 'e', 'b', 'd', 'a'], 'The order');
    },
  },
  {
    name: 'an id that is removed is not delivered, and may be added again',
    async run(connect) {
      const [a, b] = [await connect(), await connect()];
      const name = uniqueName('removed');
      const queue = a.queue(name);
      for (const id of ['waits', 'taken', 'done']) await queue.add(id, bytes(1));
      await queue.remove('waits');
      await queue.remove('never-added');
      const taken = await b.queue(name).take({ timeoutMs });
      const done = await b.queue(name).take({ timeoutMs });
      checkEqual([taken?.id, done?.id], ['taken', 'done'], 'The items');
      await done!.done();
      for (const id of ['taken', 'done']) await queue.remove(id);
      await taken!.release();
      check((await queue.take({ timeoutMs: 50 })) === undefined, 'A removed item was delivered.');
      for (const id of ['waits', 'taken', 'done']) {
        checkEqual(await queue.add(id, bytes(2)), true, `The result for "${id}"`);
        const item = await queue.take({ timeoutMs });
        checkEqual([item?.id, item?.payload, item?.delivery], [id, bytes(2), 1], 'The item that was added again');
        await item!.done();
      }
    },
  },
];
