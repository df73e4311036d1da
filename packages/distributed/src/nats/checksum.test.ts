import { describe, expect, it } from 'vitest';
import { PayloadMemory } from '../payload-memory.js';
import { checksumOf } from './checksum.js';
import { DamagedContribution, type RoundMessage, Tally } from './tally.js';

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7919) >>> 3);

describe('checksumOf', () => {
  it('is of the bytes, wherever they begin', () => {
    const given = bytes(22);
    const shifted = new Uint8Array(30);
    shifted.set(given, 3);
    expect(checksumOf(given)).toMatch(/^[0-9a-f]{16}$/);
    expect(checksumOf(shifted.subarray(3, 25))).toBe(checksumOf(given));
  });

  it('notices every one or two changes of a bit, an exchange of words, and zeros at the end', () => {
    const original = checksumOf(bytes(22));
    const seen: string[] = [];
    const flip = (at: number, changed: Uint8Array) => {
      changed[at >>> 3]! ^= 1 << (at & 7);
    };
    for (let first = 0; first < 8 * 22; first++) {
      for (let second = first; second < 8 * 22; second++) {
        const changed = bytes(22);
        flip(first, changed);
        if (second > first) flip(second, changed);
        seen.push(checksumOf(changed));
      }
    }
    const exchanged = bytes(22);
    exchanged.set(bytes(22).subarray(0, 4), 4);
    exchanged.set(bytes(22).subarray(4, 8), 0);
    for (const other of [exchanged, bytes(21), Uint8Array.from([...bytes(22), 0])]) seen.push(checksumOf(other));
    expect(seen).not.toContain(original);
  });
});

describe('a worker that reads its own contribution', () => {
  const payload = bytes(22);
  const contribution = { rank: 1, workers: 2, payload, timeoutMs: 1, isLent: true };
  const part = (attempt: string, sent: Uint8Array): RoundMessage => ({
    ...{ kind: 'part', rank: 1, attempt, part: 0, parts: 1, length: 22, from: 0, hash: checksumOf(sent), bytes: sent },
  });
  const counted: string[] = [];
  const tally = (isRead = true) =>
    new Tally({ contribution, attempts: new Set(['own']), isRead }, new Set(), new PayloadMemory(), (rank, attempt) =>
      counted.push(`${rank} ${attempt}`),
    );

  it('has its own memory, and notices what is stored damaged', () => {
    const own = tally();
    own.add(part('own', payload.slice()));
    expect(own.payloads.get(1)).toBe(payload);
    const damaged = payload.slice();
    damaged[21]!++;
    expect(() => tally().add(part('own', damaged))).toThrow(DamagedContribution);
  });

  it('takes that of an earlier start of the same rank, which the others have too', () => {
    const again = tally();
    const earlier = payload.slice().reverse();
    again.add(part('earlier', earlier));
    again.add(part('own', payload));
    expect(again.payloads.get(1)).toEqual(earlier);
  });
});
