import { type EagerOperations, LmdError, sizeOf, type Tensor } from '@lmd/core';
import { fingerprintOf, type SendingStep } from '@lmd/training';
import { toBfloat16 } from './bfloat16.js';
import { ArrayReader, type Channel } from './channel.js';
import type { Scratch } from './scratch.js';
import { sharedBytes } from './shared-bytes.js';

export type GradientFormat = 'f32' | 'bf16';

/** A gradient of one pass. */
export interface SentGradient {
  readonly pass: number;
  readonly weight: string;
  readonly own: Tensor;
}

/** Gradients that were sent together, and the contributions of all workers once they are there. */
export interface Bucket {
  readonly gradients: readonly SentGradient[];
  /** A reader of each worker's contribution, in the order of the ranks, after its mark. */
  readonly contributions: Promise<readonly ArrayReader[]>;
}

/** What the steps of an exchange have in common. */
export interface SenderOptions {
  readonly format: GradientFormat;
  /** Bytes after which gradients are sent. */
  readonly bucketBytes: number;
  /** The rounds of a bucket, by its number. */
  channel(bucket: number): Channel;
  readonly memory: BucketMemory;
  /** For values in f32 that become BF16. */
  readonly scratch: Scratch;
}

/**
 * Memory of each bucket's contributions, of two steps in turn. A worker that contributes to a step has read the one
 * before it. So when a step has the contributions of all, nobody reads the one before, and the next may overwrite it.
 */
export class BucketMemory {
  readonly #buckets = new Map<number, Uint8Array[]>();

  next(bucket: number, length: number): Uint8Array {
    const [older, newer] = this.#buckets.get(bucket) ?? [];
    const memory = older?.length === length ? older : sharedBytes(length);
    this.#buckets.set(bucket, newer === undefined ? [sharedBytes(length), memory] : [newer, memory]);
    return memory;
  }

  clear(): void {
    this.#buckets.clear();
  }
}

/**
 * Sends the gradients of a step in buckets, in the order in which the backward pass completes them. The last bucket,
 * which has the losses, is sent by `end`: without it nobody can finish the step. A contribution begins with a word that
 * names its tensors, so that workers whose gradients come in another order are noticed.
 */
export class GradientSender implements SendingStep {
  readonly #step: number;
  readonly #ops: EagerOperations;
  readonly #options: SenderOptions;
  readonly #sent: Bucket[] = [];
  readonly #ended = new AbortController();
  #open: SentGradient[] = [];
  #bytes = 0;

  constructor(step: number, ops: EagerOperations, options: SenderOptions) {
    this.#step = step;
    this.#ops = ops;
    this.#options = options;
  }

  gradient(pass: number, weight: string, own: Tensor): void {
    this.#open.push({ pass, weight, own });
    this.#bytes += bytesOf(sizeOf(own.shape), this.#options.format);
    if (this.#bytes >= this.#options.bucketBytes) this.#send([]);
  }

  abandon(): void {
    this.#ended.abort();
    // A transport of another thread may still be reading them.
    this.#options.memory.clear();
  }

  /** Sends the rest. Returns all buckets, the losses in front of the last one. */
  end(losses: readonly Tensor[]): readonly Bucket[] {
    this.#send(losses);
    return this.#sent;
  }

  #send(losses: readonly Tensor[]): void {
    const { format, memory } = this.#options;
    const gradients = this.#open;
    const bucket = this.#sent.length;
    const length = 4 + 4 * losses.length + this.#bytes;
    this.#open = [];
    this.#bytes = 0;
    const bytes = memory.next(bucket, length);
    const mark = markOf(gradients);
    const reader = new ArrayReader(bytes);
    reader.words(1)[0] = mark;
    const reading = losses.map((loss) => this.#ops.readInto(loss, reader.floats(1)));
    for (const { own } of gradients) {
      const size = sizeOf(own.shape);
      if (format === 'f32') reading.push(this.#ops.readInto(own, reader.floats(size)));
      else reading.push(this.#readRounded(own, reader.halves(size)));
    }
    const contributions = this.#gather(bucket, bytes, mark, reading);
    // Awaited by the update, or not at all.
    contributions.catch(() => undefined);
    this.#sent.push({ gradients, contributions });
  }

  #readRounded(own: Tensor, halves: Uint16Array): Promise<void> | undefined {
    const { scratch } = this.#options;
    const values = scratch.of(halves.length);
    const round = () => void toBfloat16(values, halves);
    const reading = this.#ops.readInto(own, values);
    if (reading === undefined) return round();
    scratch.leave();
    return reading.then(round);
  }

  /** What is already read is sent before this returns: the backward pass may keep the thread for long. */
  async #gather(
    bucket: number,
    bytes: Uint8Array,
    mark: number,
    reading: readonly (Promise<void> | undefined)[],
  ): Promise<readonly ArrayReader[]> {
    if (reading.some((promise) => promise !== undefined)) await Promise.all(reading);
    const channel = this.#options.channel(bucket);
    const { payloads } = await channel.gather(this.#step, bytes, {
      isLent: true,
      signal: this.#ended.signal,
    });
    return [...payloads].map(([rank, payload]) => {
      const reader = new ArrayReader(payload);
      if (reader.words(1)[0] !== mark) throw otherGradients(rank, this.#step);
      return reader;
    });
  }
}

function bytesOf(length: number, format: GradientFormat): number {
  return format === 'f32' ? 4 * length : 4 * Math.ceil(length / 2);
}

/** A word that names tensors and their shapes. */
function markOf(gradients: readonly SentGradient[]): number {
  const names = gradients.map(({ pass, weight, own }) => `${pass} ${weight} ${own.shape}`);
  return Number.parseInt(fingerprintOf(names).slice(0, 8), 16);
}

function otherGradients(rank: number, step: number): LmdError {
  return new LmdError('TRANSPORT_FAILURE', `Worker ${rank} sent other gradients in step ${step + 1}.`, {
    subject: 'gradients',
    value: rank,
    remedy: 'All workers need the same model, optimizer and options, and a name of the run of their own.',
  });
}
