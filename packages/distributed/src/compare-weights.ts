import { type EagerOperations, LmdError, type NamedTensors } from '@lmd/core';
import { fingerprintOf } from '@lmd/training';
import type { Channel, Closing } from './channel.js';

/** A hash of names and values, of 16 hexadecimal digits: equal tensors have equal hashes. Not cryptographic. */
export async function hashOf(ops: EagerOperations, tensors: NamedTensors): Promise<string> {
  const hashes: string[] = [];
  // One at a time, so that at most one is in host memory.
  for (const [name, tensor] of Object.entries(tensors)) hashes.push(name, fingerprintOf([await ops.read(tensor)]));
  return fingerprintOf(hashes);
}

/**
 * Exchanges the hashes of the workers' weights.
 *
 * @param round number of updates, also the round of the channel.
 * @throws LmdError `WORKERS_DIVERGED`, naming the workers whose hash is not that of the most
 */
export async function compareWeights(
  channel: Channel,
  round: number,
  ops: EagerOperations,
  tensors: NamedTensors,
  closing?: Closing,
): Promise<void> {
  const own = new TextEncoder().encode(await hashOf(ops, tensors));
  const { payloads } = await channel.gather(round, own, closing);
  const byHash = new Map<string, number[]>();
  for (const [rank, payload] of payloads) {
    const hash = new TextDecoder().decode(payload);
    byHash.set(hash, [...(byHash.get(hash) ?? []), rank]);
  }
  if (byHash.size <= 1) return;
  const groups = [...byHash].sort(([, a], [, b]) => b.length - a.length);
  const [[, most], ...others] = groups as [(typeof groups)[number], ...typeof groups];
  const differing = others.flatMap(([, ranks]) => ranks).sort((a, b) => a - b);
  const list = groups.map(([hash, ranks]) => `${hash} on rank ${ranks.join(', ')}`).join('; ');
  throw new LmdError(
    'WORKERS_DIVERGED',
    `After step ${round} the weights of rank ${differing.join(', ')} differ from those of rank ${most.join(', ')}: ` +
      `the hashes are ${list}.`,
    {
      subject: 'weights',
      value: differing,
      remedy:
        'Workers need the same options, package versions and backend, and hardware that computes the same bits. ' +
        'Resume all from one checkpoint.',
    },
  );
}
