import { LmdError } from '@lmd/core';
import { builtIn } from './built-in.js';

/** The part of Node's workers that is used here. */
export interface Worker {
  unref(): void;
  terminate(): Promise<number>;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
}

export interface WorkerThreads {
  readonly Worker: new (
    source: string,
    options: { eval: true; workerData: unknown; execArgv: string[]; name: string },
  ) => Worker;
}

interface Platform {
  readonly process?: {
    readonly arch?: string;
    readonly versions?: { readonly v8?: string };
    /** Where Node runs under its permission model. */
    readonly permission?: { has(scope: string): boolean };
  };
  readonly SharedArrayBuffer?: unknown;
}

/** Node's workers, where there are some that share memory, and the process may start them. */
export function workerThreads(): WorkerThreads | undefined {
  const platform = globalThis as Platform;
  const forbidden = platform.process?.permission?.has('worker') === false;
  if (platform.SharedArrayBuffer === undefined || forbidden) return undefined;
  return builtIn('node:worker_threads');
}

/**
 * Beyond this number, waiting costs more than the threads save: a training step has hundreds of short
 * operations.
 */
const mostByDefault = 8;

/** As many threads as there are processors to run them, up to eight; one where there are no workers. */
export function defaultThreads(): number {
  if (workerThreads() === undefined) return 1;
  const processors = builtIn<{ availableParallelism(): number }>('node:os')?.availableParallelism() ?? 1;
  return Math.min(processors, mostByDefault);
}

export function noThreads(threads: number): LmdError {
  return new LmdError('UNSUPPORTED', `The cpu backend cannot run ${threads} threads here.`, {
    subject: 'threads',
    value: threads,
    remedy:
      'Leave threads out, or use threads: 1; more need the worker threads of Node 20.16 or later, shared memory ' +
      'and, under ' +
      'the permission model, --allow-worker.',
  });
}

/**
 * Whether the dot product of bytes is faster in steps than by its one instruction of relaxed SIMD: on x64, V8 before
 * version 13 makes that of five, where later ones know the processor's own (AVX-VNNI). Both give the same bits.
 */
export function dotInSteps(): boolean {
  const { arch, versions } = (globalThis as Platform).process ?? {};
  return arch === 'x64' && Number.parseInt(versions?.v8 ?? '13', 10) < 13;
}
