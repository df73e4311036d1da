import { LmdError, messageOf } from '@lmd/core';
import { type RangedKernel, takeChunks } from './chunks.js';
import { type Control, controlBytes, createControl, takenWord, words } from './control.js';
import { pagesOf } from './growth.js';
import type { Worker, WorkerThreads } from './platform.js';
import { workerProgram } from './worker.generated.js';
import type { WorkerData, WorkerModules } from './worker-data.js';

/**
 * How long a worker spins before it sleeps: some tens of microseconds, about what lies between two operations
 * of a step.
 */
const workerSpins = 20_000;
/** How long the calling thread spins before it sleeps. */
const callerSpins = 5_000;
/**
 * A worker without progress for this many waits counts as ended. A wait counts once, however long the process
 * was stopped.
 */
const patience = { waits: 300, milliseconds: 100 };

/**
 * Runs kernels on several threads: fork and join. The calling thread works too, and takes every chunk that no worker
 * has begun, so that it never waits for a worker that is asleep, not started yet, or without a processor.
 */
export class ThreadPool {
  readonly threads: number;
  readonly #platform: WorkerThreads;
  readonly #modules: WorkerModules;
  readonly #names: readonly string[];
  readonly #kernels: readonly RangedKernel[];
  readonly #control: Control;
  readonly #patience: typeof patience;
  /** Not a method of the pool, so that references held by a worker do not keep the pool alive. */
  readonly #state: { workers: Worker[]; failure: unknown; closed: boolean } = {
    workers: [],
    failure: undefined,
    closed: false,
  };

  /** @param kernels by name, of this thread's own instances */
  constructor(
    platform: WorkerThreads,
    threads: number,
    modules: WorkerModules,
    kernels: Readonly<Record<string, RangedKernel>>,
    limits: typeof patience = patience,
  ) {
    this.threads = threads;
    this.#platform = platform;
    this.#modules = modules;
    this.#names = Object.keys(kernels);
    this.#kernels = Object.values(kernels);
    this.#control = createControl(new SharedArrayBuffer(controlBytes(threads)), threads);
    this.#patience = limits;
  }

  /** The workers, for tests; none before the first job. */
  get workers(): readonly Worker[] {
    return this.#state.workers;
  }

  get control(): Control {
    return this.#control;
  }

  indexOf(name: string): number {
    return this.#names.indexOf(name);
  }

  /**
   * Runs kernel `index` over [0, total) in chunks of `grain`, and returns when all is done.
   *
   * @throws LmdError `BACKEND_FAILURE` where a worker has ended or a kernel failed: then no later call works either
   */
  run(index: number, total: number, grain: number, rest: readonly number[]): void {
    this.#check();
    if (this.#state.workers.length === 0) this.#start();
    const state = this.#control.words;
    const chunks = Math.ceil(total / grain);
    state[words.kernel] = index;
    state[words.count] = rest.length;
    state[words.total] = total;
    state[words.grain] = grain;
    state[words.chunks] = chunks;
    state[words.pages] = pagesOf(this.#modules.memory);
    this.#control.arguments.set(rest);
    for (let thread = 0; thread < this.threads; thread++) state[takenWord(thread)] = 0;
    Atomics.store(state, words.open, 1);
    Atomics.add(state, words.generation, 1);
    if (Atomics.load(state, words.asleep) > 0) Atomics.notify(state, words.generation, chunks - 1);
    try {
      takeChunks(state, { kernel: this.#kernels[index]!, total, grain, chunks, rest }, 0, this.threads);
    } catch (error) {
      this.#state.failure = error;
    }
    Atomics.store(state, words.open, 0);
    this.#join();
    if (Atomics.load(state, words.failed) === 1)
      this.#state.failure ??= new Error('A kernel failed in a worker thread.');
    this.#check();
  }

  /** Ends the workers; `run` must not be called any more. */
  close(): void {
    this.#state.closed = true;
    for (const worker of this.#state.workers) void worker.terminate();
  }

  /** Waits until no worker is at the job. */
  #join(): void {
    const state = this.#control.words;
    for (let left = callerSpins; left > 0; left--) if (Atomics.load(state, words.active) === 0) return;
    Atomics.store(state, words.awaited, 1);
    for (let waits = 0; ; waits++) {
      const active = Atomics.load(state, words.active);
      if (active === 0) break;
      if (waits === this.#patience.waits) {
        this.#state.failure ??= new Error('A worker thread ended at its work, or makes no progress.');
        break;
      }
      if (Atomics.wait(state, words.active, active, this.#patience.milliseconds) !== 'timed-out') waits = 0;
    }
    Atomics.store(state, words.awaited, 0);
  }

  #start(): void {
    const { modules, memory, workspaces, native } = this.#modules;
    const state = this.#state;
    for (let self = 1; self < this.threads; self++) {
      const workerData: WorkerData = {
        modules,
        memory,
        native,
        workspaces: workspaces[self]!,
        names: this.#names,
        control: this.#control.buffer,
        threads: this.threads,
        self,
        spins: workerSpins,
      };
      const worker = this.#startWorker(workerData, `lmd-cpu-${self}`);
      worker.on('error', (error) => {
        state.failure ??= error;
      });
      worker.on('exit', (code) => {
        if (!state.closed) state.failure ??= new Error(`A worker thread ended with code ${code}.`);
      });
      worker.unref();
      state.workers.push(worker);
    }
  }

  #startWorker(workerData: WorkerData, name: string): Worker {
    try {
      return new this.#platform.Worker(workerProgram, { eval: true, workerData, execArgv: [], name });
    } catch (cause) {
      throw new LmdError('BACKEND_FAILURE', `The cpu backend cannot start a thread: ${messageOf(cause)}`, {
        subject: 'threads',
        value: this.threads,
        remedy: 'Make the backend with threads: 1.',
        cause,
      });
    }
  }

  #check(): void {
    const { failure } = this.#state;
    if (failure !== undefined) {
      throw new LmdError('BACKEND_FAILURE', `A thread of the cpu backend failed: ${messageOf(failure)}`, {
        subject: 'threads',
        value: this.threads,
        remedy: 'Make another backend; with threads: 1, if it happens again.',
        cause: failure,
      });
    }
  }
}
