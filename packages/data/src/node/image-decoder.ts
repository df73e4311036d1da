import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LmdError } from '@lmd/core';
import { withFileErrors } from '@lmd/training/node';
import type { Pixels } from '../images/image.js';
import { decodeWorkerProgram } from './decode-worker.js';

/** Decodes JPEG and PNG files in worker threads. */
export interface ImageDecoder {
  /**
   * An image as RGB of 8 bits: grey is repeated, CMYK converted, alpha left out, 16 bits cut to 8. Turning by EXIF is not applied.
   *
   * @throws LmdError `DATA_CORRUPT` naming a file that does not decode; `FILE_SYSTEM`.
   */
  decode(path: string): Promise<Pixels>;
  /** Ends the threads; what they were decoding is rejected. Twice is no error. */
  close(): Promise<void>;
}

interface Job {
  readonly id: number;
  readonly path: string;
  settle(answer: Answer): void;
}

interface Answer {
  readonly job: number;
  readonly image?: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  readonly undecodable?: string;
  readonly unreadable?: { readonly code: string; readonly errno: number; readonly message: string };
}

interface Thread {
  readonly worker: Worker;
  /** What it has been given, in this order: the first is the one that it decodes. */
  readonly jobs: Job[];
}

/**
 * Images that a thread is given before it has answered: while this thread computes a training step at once, none can be handed on, and
 * those that are handed over get decoded meanwhile.
 */
const jobsAhead = 32;

/** @param threads how many; they start when they are needed, and keep no program from ending. Default: as many as processors, up to 8. */
export function imageDecoder(threads = Math.min(availableParallelism(), 8)): ImageDecoder {
  const require = createRequire(import.meta.url);
  const workerData = { jpeg: require.resolve('jpeg-js'), png: require.resolve('pngjs') };
  const running = new Set<Thread>();
  const waiting: Job[] = [];
  let nextId = 0;
  let closed = false;

  const finish = (thread: Thread, answer: Answer) => {
    const job = thread.jobs.shift();
    if (job === undefined) return;
    if (thread.jobs.length === 0) thread.worker.unref();
    job.settle(answer);
    fill(thread);
  };
  const fill = (thread: Thread) => {
    while (thread.jobs.length < jobsAhead) {
      const job = waiting.shift();
      if (job === undefined) return;
      thread.jobs.push(job);
      // Only while it works is a thread a reason for the program to stay.
      thread.worker.ref();
      thread.worker.postMessage({ job: job.id, path: job.path });
    }
  };
  const start = () => {
    const worker = new Worker(decodeWorkerProgram, { eval: true, workerData });
    const thread: Thread = { worker, jobs: [] };
    running.add(thread);
    worker.unref();
    worker.on('message', (answer: Answer) => finish(thread, answer));
    // A thread that dies, as of memory, takes its own job with it and no other.
    const died = (reason: string) => {
      if (!running.delete(thread)) return;
      const [job, ...others] = thread.jobs.splice(0);
      job?.settle({ job: job.id, undecodable: reason });
      if (closed) for (const { id, settle } of others) settle({ job: id, undecodable: 'the decoder was closed' });
      else waiting.unshift(...others);
      if (waiting.length > 0 && !closed) fill(start());
    };
    worker.on('error', (error) => died(error.message));
    worker.on('exit', (code) => died(`its thread ended with ${code}`));
    return thread;
  };
  const enqueue = (job: Job) => {
    waiting.push(job);
    const idle = [...running].find((thread) => thread.jobs.length === 0);
    if (idle !== undefined) fill(idle);
    else if (running.size < threads) fill(start());
    else {
      const [shortest] = [...running].sort((a, b) => a.jobs.length - b.jobs.length);
      fill(shortest!);
    }
  };

  return {
    async decode(path) {
      if (closed) {
        throw new LmdError('INVALID_ARGUMENT', 'The decoder of images is closed.', {
          subject: path,
          remedy: 'Close it when training has ended.',
        });
      }
      const answer = await new Promise<Answer>((settle) => enqueue({ id: nextId++, path, settle }));
      const { image, unreadable, undecodable } = answer;
      if (image !== undefined) return { ...image, channels: 3 };
      if (unreadable !== undefined) {
        const { message, ...details } = unreadable;
        await withFileErrors('read', path, () => Promise.reject(Object.assign(new Error(message), details)));
      }
      throw undecodableImage(path, undecodable ?? 'unknown');
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) job.settle({ job: job.id, undecodable: 'the decoder was closed' });
      await Promise.all([...running].map(({ worker }) => worker.terminate()));
    },
  };
}

function undecodableImage(path: string, reason: string): LmdError {
  return new LmdError('DATA_CORRUPT', `${path} does not decode: ${reason}.`, {
    subject: path,
    value: reason,
    remedy: "Replace or remove it, or open the folder with undecodable: 'skip'.",
  });
}
