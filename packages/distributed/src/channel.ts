import { LmdError } from '@lmd/core';
import { sharedBytes } from './shared-bytes.js';
import type { Contribution, GatheredRound } from './transport.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

/** When a round may close without all workers. */
export type Closing = Pick<Contribution, 'quorum' | 'deadlineMs'>;

interface GatherOptions extends Closing, Pick<Contribution, 'isLent'> {
  /** Ends the wait, as that of the exchange does. */
  readonly signal?: AbortSignal;
}

/** The rounds of one purpose of a run, as one worker takes part in them. */
export interface Channel {
  /** @throws LmdError `TRANSPORT_FAILURE` for a payload of another size, besides what `Transport.gather` throws */
  gather(round: number, payload: Uint8Array, options?: GatherOptions): Promise<GatheredRound>;
}

export function channelOf(options: ResolvedWorkerOptions, purpose: string): Channel {
  const { transport, run, rank, workers, timeoutMs, signal } = options;
  const channel = `${run}/${purpose}`;
  return {
    async gather(round, payload, { signal: own, ...closing } = {}) {
      const ending = anyOf([signal, own]);
      const gathered = await transport
        .gather({ channel, round }, { rank, workers, payload, timeoutMs, ...closing, signal: ending.signal })
        .finally(ending.release);
      for (const [other, { length }] of gathered.payloads) {
        if (length === payload.length) continue;
        throw new LmdError(
          'TRANSPORT_FAILURE',
          `Worker ${other} sent ${length} bytes in round ${round} of "${channel}", worker ${rank} ${payload.length}.`,
          {
            subject: channel,
            value: other,
            remedy: 'All workers need the same model, optimizer and options, and a name of the run of their own.',
          },
        );
      }
      return gathered;
    },
  };
}

/** A signal that aborts with any of the given ones, until it is released. `AbortSignal.any` is not in Node 20.0. */
function anyOf(given: readonly (AbortSignal | undefined)[]): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const signals = given.filter((signal) => signal !== undefined);
  for (const signal of signals) signal.addEventListener('abort', abort);
  if (signals.some(({ aborted }) => aborted)) abort();
  return {
    signal: controller.signal,
    release() {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    },
  };
}

/** The bytes of arrays, one after another. Each array has a multiple of four bytes. */
export function joinArrays(arrays: readonly ArrayBufferView[]): Uint8Array {
  const joined = sharedBytes(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    joined.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return joined;
}

/** Reads arrays of known lengths from the bytes that `joinArrays` wrote. */
export class ArrayReader {
  #at: number;
  readonly #buffer: ArrayBufferLike;

  constructor(bytes: Uint8Array) {
    // A view of words must begin at a multiple of four bytes.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    this.#buffer = aligned.buffer;
    this.#at = aligned.byteOffset;
  }

  floats(length: number): Float32Array {
    return new Float32Array(this.#buffer, this.#take(4 * length), length);
  }

  words(length: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.#take(4 * length), length);
  }

  halves(length: number): Uint16Array {
    return new Uint16Array(this.#buffer, this.#take(4 * Math.ceil(length / 2)), length);
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
