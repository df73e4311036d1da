import { type OptionsOf, type OptionTable, resolveOptions } from '@lmd/core';
import { checkContribution } from '../contribution.js';
import { closed } from '../errors.js';
import { transportMarker } from '../marker.js';
import { retentionOptionTable } from '../retention.js';
import type { Member, Members, Store, Topics, Transport } from '../transport.js';
import { InProcessQueue } from './queue.js';
import { Rounds } from './round.js';

/** The options of `inProcessTransport`, declared once. */
export const inProcessTransportOptionTable = {
  ...retentionOptionTable,
} as const satisfies OptionTable;

export interface InProcessTransportOptions extends OptionsOf<typeof inProcessTransportOptionTable> {}

/**
 * A transport between workers of one process, which share this object: for tests, simulations, and several backends on
 * one machine. Without deadlines the result of every call is independent of timing.
 */
export function inProcessTransport(options: InProcessTransportOptions = {}): Transport {
  const resolved = resolveOptions('inProcessTransport', inProcessTransportOptionTable, options);
  const name = 'in-process';
  const rounds = new Rounds(resolved.retainedRounds);
  const queues = new Map<string, InProcessQueue>();
  let isClosed = false;
  const checkOpen = () => {
    if (isClosed) throw closed(name);
  };
  return {
    ...transportMarker,
    name,
    async gather(place, contribution) {
      checkContribution(place, contribution);
      checkOpen();
      const round = rounds.at(place, contribution.rank);
      round.contribute(contribution);
      return round.wait(place, contribution);
    },
    queue(queue, queueOptions) {
      checkOpen();
      const known = queues.get(queue) ?? new InProcessQueue(queueOptions);
      queues.set(queue, known);
      return known;
    },
    store: inProcessStore(),
    topics: inProcessTopics(),
    members: inProcessMembers(),
    async close() {
      isClosed = true;
      rounds.fail(closed(name));
      for (const queue of queues.values()) queue.stop();
    },
  };
}

function inProcessStore(): Store {
  const values = new Map<string, Uint8Array>();
  return {
    put: async (key, value) => void values.set(key, value.slice()),
    get: async (key) => values.get(key)?.slice(),
    delete: async (key) => void values.delete(key),
    keys: async (prefix = '') => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

function inProcessTopics(): Topics {
  const listeners = new Map<string, Set<(payload: Uint8Array) => void>>();
  return {
    async publish(topic, payload) {
      for (const listener of [...(listeners.get(topic) ?? [])]) listener(payload.slice());
    },
    async subscribe(topic, listener) {
      // Of its own, so that a function may listen twice.
      const own = (payload: Uint8Array) => listener(payload);
      listeners.set(topic, (listeners.get(topic) ?? new Set()).add(own));
      return () => void listeners.get(topic)?.delete(own);
    },
  };
}

function inProcessMembers(): Members {
  const groups = new Map<string, Map<number, Member>>();
  const membersOf = (group: string) => {
    const members = groups.get(group) ?? new Map<number, Member>();
    groups.set(group, members);
    return members;
  };
  return {
    async join(group, name) {
      const members = membersOf(group);
      let rank = 0;
      while (members.has(rank)) rank++;
      const member = { name, rank };
      members.set(rank, member);
      return {
        ...member,
        leave: async () => {
          if (members.get(rank) === member) members.delete(rank);
        },
      };
    },
    list: async (group) => [...membersOf(group).values()].sort((a, b) => a.rank - b.rank),
  };
}
