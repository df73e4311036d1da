import { join } from 'node:path';
import { isLmdError, LmdError, messageOf } from '@lmd/core';
import type { QueueItem } from '@lmd/distributed';
import { describeSource } from '../data/index.js';
import { codeDifference } from './code-identity.js';
import { decodeOrder, type Order, type WorkerNews } from './messages.js';
import { serveRank } from './serve-rank.js';
import { serveTrial } from './serve-trial.js';
import { type ServeContext, type Service, tell } from './service.js';
import { checkData, fetchData } from './shared-data.js';

/** Deliveries after which an item is taken to be what ends its workers. */
const mostDeliveries = 10;

/** Serves one delivery, and keeps its lease meanwhile. Returns whether it is answered, and was not handed back. */
export async function serveItem(context: ServeContext, item: QueueItem): Promise<boolean> {
  const { code, say, leaseMs, worker, signal } = context;
  const order = await readOrder(context, item);
  if (order === undefined) return false;
  const service = order.kind === 'trial' ? serveTrial(context, order) : serveRank(context, order);
  const { label } = service;
  if (signal.aborted) {
    await item.release();
    return false;
  }
  const heartbeat = setInterval(() => {
    item.extend().catch((error) => say(`${label}: ${messageOf(error)}`));
  }, leaseMs / 3);
  try {
    if (item.delivery > mostDeliveries) throw neverFinished(label, item.delivery);
    const difference = codeDifference(code, order.code);
    if (difference !== undefined) throw otherCode(label, difference);
    const path = await locate(context, order, service);
    say(`${label}: started`);
    await service.run(path);
    say(`${label}: finished`);
    await item.done();
    return true;
  } catch (error) {
    if (isLmdError(error, 'INTERRUPTED') || error instanceof Refusal) {
      await item.release();
      const isRefusal = error instanceof Refusal;
      await tell(
        context,
        order,
        isRefusal ? { type: 'refused', worker, reason: error.message } : releasedOf(order, worker),
      );
      if (isRefusal) throw error.reason;
      say(`${label}: handed back`);
      return false;
    }
    await service.fail(error);
    say(`${label}: ${messageOf(error)}`);
    await item.done();
    return true;
  } finally {
    clearInterval(heartbeat);
  }
}

/** The order of an item; undefined for one that is damaged, which is handed back, and removed where that lasts. */
async function readOrder({ say }: ServeContext, item: QueueItem): Promise<Order | undefined> {
  try {
    return decodeOrder(item.payload);
  } catch (error) {
    say(messageOf(error));
    await (item.delivery > mostDeliveries ? item.done() : item.release());
    return undefined;
  }
}

const releasedOf = (order: Order, worker: string): WorkerNews => ({
  type: 'released',
  hash: order.kind === 'trial' ? order.trial.hash : String(order.job.rank),
  worker,
});

/** The path of an order's data on this machine; undefined for data without files. */
async function locate(
  { transport, work, data }: ServeContext,
  { data: needed }: Order,
  { dataAt }: Service,
): Promise<string | undefined> {
  try {
    if (needed.kind === 'files') {
      if (data === undefined) return await fetchData(transport.store, needed.hash, join(work, 'data'));
      await checkData(await dataAt(data), needed.hash);
      return data;
    }
    const source = describeSource(await dataAt());
    if (source === needed.source) return undefined;
    throw new LmdError('INVALID_ARGUMENT', `The data here is ${source}, but the study has ${needed.source}.`, {
      subject: 'data',
      value: source,
      remedy: 'Install the version of the study.',
    });
  } catch (error) {
    if (!isLmdError(error) || error.code === 'TRANSPORT_FAILURE') throw error;
    throw new Refusal(error);
  }
}

/** A trial that this worker cannot run as the study would. */
class Refusal extends Error {
  constructor(readonly reason: LmdError) {
    super(reason.message);
  }
}

function otherCode(label: string, difference: string): Refusal {
  return new Refusal(
    new LmdError('INVALID_ARGUMENT', `${label} is of another version of the code: ${difference}.`, {
      subject: 'code',
      value: difference,
      remedy: 'Use the same version on all machines: the same packages, or the same commit with npm run setup.',
    }),
  );
}

function neverFinished(label: string, deliveries: number): LmdError {
  return new LmdError(
    'BACKEND_FAILURE',
    `${label} was started ${deliveries - 1} times, and no worker has finished it.`,
    {
      subject: label,
      value: deliveries - 1,
      remedy: 'If memory ran out, use a smaller batchSize, or workers with more.',
    },
  );
}
