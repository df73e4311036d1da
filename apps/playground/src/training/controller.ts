import { type Backend, isLmdError, LmdError, sizeOf } from '@lmd/core';
import type { Checkpoint } from '@lmd/training';
import { readArchive, writeArchive } from '../archive/archive.js';
import { type DataSources, type GivenFiles, openTask } from '../data/given.js';
import type { Settings } from '../settings/settings.js';
import { type WeightsQuery, type WeightsView, weightsView } from '../weights/weights-view.js';
import type { Report } from './messages.js';
import { Reporter } from './reporter.js';
import { adapted, Session } from './session.js';
import type { Task } from './task.js';

/** An open backend. */
export interface OpenBackend {
  readonly backend: Backend;
  readonly kind: 'webgpu' | 'wasm';
  /** Why it is not WebGPU. */
  readonly note?: string;
  /** Destroys the device; absent where there is none. */
  lose?(): void;
}

export interface Surroundings extends DataSources {
  open(device: Settings['device']): Promise<OpenBackend>;
  report(report: Report): void;
}

interface Beginning {
  /** Whether it has nothing to do with what was trained before. */
  readonly isNew?: boolean;
  /** Default: that of the settings. */
  readonly device?: Settings['device'];
}

/** Everything behind the page: opens data and a backend, trains, and keeps what is trained when something fails. */
export class Controller {
  #session: Session | undefined;
  #opened: OpenBackend | undefined;
  #isPaused = true;
  /** The step that the last recovery resumed from. */
  #recoveredFrom: number | undefined;

  #reporter: Reporter | undefined;

  constructor(readonly surroundings: Surroundings) {}

  get session(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new LmdError('INTERRUPTED', 'Nothing is trained yet.', { subject: 'session', remedy: 'Start training.' });
  }

  /** Starts anew. On an error, such as data that cannot be used, what was trained before goes on. */
  async start(settings: Settings, files: GivenFiles): Promise<void> {
    const task = await openTask(settings.data, files, settings.seed, this.surroundings);
    await this.#replace(task, settings, [undefined, undefined]);
    this.#recoveredFrom = undefined;
  }

  pause(): void {
    this.#isPaused = true;
    this.#session?.turns.pause();
    this.#reporter?.report();
    this.surroundings.report({ type: 'paused', isPaused: true });
  }

  resume(): void {
    this.#isPaused = false;
    this.#reporter?.restart();
    this.#session?.turns.resume();
    this.surroundings.report({ type: 'paused', isPaused: false });
  }

  /** Goes on with other settings of the runs. Data, seed and batch stay. */
  async change(settings: Settings): Promise<void> {
    const { task, settings: old } = this.session;
    const snapshots = await this.session.stop();
    // The last points, before another reporter takes over.
    this.#reporter?.report();
    const next = { ...old, runs: settings.runs, device: settings.device, steps: settings.steps };
    try {
      const { backend } = this.#opened!;
      await this.#begin(
        task,
        next,
        await Promise.all(snapshots.map((one, n) => adapted(backend, task, one, next.runs[n]!))),
      );
    } catch (error) {
      await this.#begin(task, old, snapshots);
      throw error;
    }
  }

  /** A file with both runs and all that they need. */
  async save(): Promise<Uint8Array> {
    const { task, settings } = this.session;
    const [a, b] = await this.session.snapshots();
    if (a !== undefined && b !== undefined) return writeArchive(task, settings, [a, b]);
    throw new LmdError('INTERRUPTED', 'There is nothing to save yet.', { subject: 'save', remedy: 'Start training.' });
  }

  /** Goes on from a saved file. On an error, what was trained before goes on. */
  async load(bytes: Uint8Array, name: string): Promise<Settings> {
    const { settings, checkpoints, files } = await readArchive(bytes, name);
    const given = Object.entries(files).map(([path, content]) => ({
      path,
      blob: new Blob([content as Uint8Array<ArrayBuffer>]),
    }));
    const task = await openTask(settings.data, given, settings.seed, this.surroundings);
    await this.#replace(task, settings, checkpoints);
    return this.session.settings;
  }

  weights(query: WeightsQuery): Promise<WeightsView | undefined> {
    const { turns, runs } = this.session;
    return turns.between(() => weightsView(runs[query.run]!, query));
  }

  /** Destroys the device of the browser, as a driver that fails does. */
  loseDevice(): void {
    if (this.#opened?.lose === undefined) {
      throw new LmdError('UNSUPPORTED', 'WebAssembly computes, which has no device to lose.', {
        subject: 'device',
        remedy: 'Choose WebGPU.',
      });
    }
    this.#opened.lose();
  }

  async close(): Promise<void> {
    await this.#session?.stop();
    this.#session = undefined;
    closed(this.#opened);
    this.#opened = undefined;
  }

  /** Ends the old session, and takes it up again if the new one cannot start. */
  async #replace(task: Task, settings: Settings, resume: readonly (Checkpoint | undefined)[]): Promise<void> {
    const old = this.#session;
    const snapshots = await old?.stop();
    try {
      await this.#begin(task, settings, resume, { isNew: true });
      for (const text of task.notes) this.#notice(text, true);
    } catch (error) {
      if (old !== undefined) await this.#begin(old.task, old.settings, snapshots!);
      throw error;
    }
  }

  async #begin(
    task: Task,
    settings: Settings,
    resume: readonly (Checkpoint | undefined)[],
    { isNew = false, device = settings.device }: Beginning = {},
  ): Promise<void> {
    await this.#openFor(device);
    const { backend, kind } = this.#opened!;
    const reporter = new Reporter((report) => this.surroundings.report(report));
    const session = new Session(backend, task, settings, resume, {
      step: (run, step, loss) => reporter.step(run, step, loss),
      evaluation: (run, step, result) => reporter.evaluation(run, step, result),
      limit: () => this.pause(),
    });
    await session.started;
    const failed = session.runs.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) {
      await session.stop();
      throw failed.failure!;
    }
    this.#session = session;
    this.#reporter = reporter;
    reporter.session = session;
    const parameters = Object.values(task.model.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const step = Math.max(...resume.map((one) => one?.step ?? 0));
    this.surroundings.report({
      ...{ type: 'session', isNew, step, kind, parameters, device: backend.device, title: task.title, data: task.kind },
    });
    void session.ended.then(({ lost }) => {
      if (lost !== undefined && this.#session === session) return this.#recover(session);
    });
    if (!this.#isPaused) session.turns.resume();
  }

  /** The backend for a choice of the settings. One that is open stays. */
  async #openFor(device: Settings['device']): Promise<void> {
    if (this.#opened !== undefined && (device === 'auto' || device === this.#opened.kind)) return;
    const old = this.#opened;
    this.#opened = await this.surroundings.open(device);
    closed(old);
    if (this.#opened.note !== undefined) this.#notice(this.#opened.note, device === 'webgpu');
  }

  /** Goes on from the last snapshots after the device was lost: on a new one, otherwise with WebAssembly. */
  async #recover(session: Session): Promise<void> {
    const { task, settings, step } = session;
    const snapshots = session.runs.map(({ snapshot }) => snapshot);
    const from = Math.max(...snapshots.map((one) => one?.step ?? 0));
    const lost = `The graphics device was lost at step ${step}.`;
    const aligned = snapshots.every((one) => one?.step === snapshots[0]?.step);
    // A device that is lost again before the next snapshot would be lost for ever.
    const isRepeated = this.#recoveredFrom === from;
    this.#recoveredFrom = from;
    for (const device of isRepeated ? (['wasm'] as const) : (['webgpu', 'wasm'] as const)) {
      try {
        closed(this.#opened);
        this.#opened = undefined;
        await this.#begin(task, settings, snapshots, { device });
        const { kind } = this.#opened!;
        this.#notice(
          kind === 'webgpu'
            ? `${lost} Training resumed from step ${from} on a new device, with the same bits.`
            : `${lost} Training resumed from step ${from} with WebAssembly, whose last bits may differ.`,
          true,
        );
        if (!aligned) this.#notice('The runs are a few steps apart.', false);
        return;
      } catch (error) {
        if (device === 'wasm') this.#notice(`${lost} ${messageOf(error)}`, true);
      }
    }
  }

  #notice(text: string, isProblem: boolean): void {
    this.surroundings.report({ type: 'notice', text, isProblem });
  }
}

/** Closes a backend and its device. One that is lost may refuse to close. */
function closed(opened: OpenBackend | undefined): void {
  try {
    opened?.backend.close?.();
    opened?.lose?.();
  } catch (error) {
    if (!isLmdError(error)) throw error;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
