import { Client } from './client.js';
import type { GivenFiles } from './data/given.js';
import {
  type DataKind,
  defaultSettings,
  defaultsFor,
  fragmentOf,
  type RunSettings,
  type Settings,
  settingsFrom,
  usualRates,
} from './settings/settings.js';
import { keepRun, keptRun, storageProblem } from './storage.js';
import type { Report } from './training/messages.js';
import { Series } from './training/series.js';

export type Screen = 'train' | 'weights' | 'use';

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isProblem: boolean;
}

/** Of keeping the run in the browser, in milliseconds. */
const keepInterval = 20_000;

/** What one run shows. */
class RunState {
  readonly losses = new Series();
  readonly accuracies = new Series();
  loss = $state<number>();
  accuracy = $state<number>();
  heldOutLoss = $state<number>();
  bandwidth = $state<number>();
  failure = $state<string>();

  /** Forgets all points, or those after a step that is computed again. */
  clear(after?: number): void {
    this.losses.cut(after ?? Number.NEGATIVE_INFINITY);
    this.accuracies.cut(after ?? Number.NEGATIVE_INFINITY);
    this.failure = undefined;
    if (after !== undefined) return;
    this.loss = undefined;
    this.accuracy = undefined;
    this.heldOutLoss = undefined;
  }
}

/** The state of the page. */
export class Playground {
  screen = $state<Screen>('train');
  settings = $state.raw<Settings>(defaultSettings);
  isStarted = $state(false);
  isStarting = $state(false);
  isPaused = $state(true);
  step = $state(0);
  stepsPerSecond = $state<number>();
  device = $state('');
  kind = $state<'webgpu' | 'wasm'>();
  title = $state('');
  /** What is trained on, which the settings may already have changed for the next start. */
  data = $state<DataKind>('digits');
  parameters = $state(0);
  notices = $state.raw<readonly Notice[]>([]);
  /** Increases when there are points to draw. */
  version = $state(0);
  /** A picture that was dropped to be classified. */
  droppedPicture = $state.raw<Blob>();
  kept = $state.raw<{ readonly step: number; readonly time: number }>();
  readonly runs = [new RunState(), new RunState()] as const;
  files: GivenFiles = [];
  readonly client: Client;
  #noticeCount = 0;
  #keptAt = 0;
  #storageFailed = false;

  constructor(fragment: string) {
    const { settings, problems } = settingsFrom(fragment);
    this.settings = settings;
    for (const text of problems) this.notice(text, true);
    this.client = new Client(
      (report) => this.#take(report),
      (message) => this.notice(message, true),
    );
    void keptRun().then(
      (run) => {
        if (run !== undefined) this.kept = { step: run.step, time: run.time };
      },
      () => {},
    );
  }

  notice(text: string, isProblem = false): void {
    this.notices = [...this.notices.filter((one) => one.text !== text), { id: ++this.#noticeCount, text, isProblem }];
  }

  dismiss(id: number): void {
    this.notices = this.notices.filter((one) => one.id !== id);
  }

  /** Runs a command; its error is told to the user. */
  async #tell<Result>(command: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await command();
    } catch (error) {
      this.notice(error instanceof Error ? error.message : String(error), true);
      return undefined;
    }
  }

  /** Starts both runs anew. */
  async start(): Promise<void> {
    this.isStarting = true;
    const settings = this.settings;
    const done = await this.#tell(async () => {
      await this.client.ask({ type: 'start', settings, files: this.files });
      await this.client.ask({ type: 'resume' });
      return true;
    });
    this.isStarting = false;
    if (done) this.isStarted = true;
  }

  pause(): Promise<unknown> {
    return this.#tell(() => this.client.ask({ type: 'pause' }));
  }

  resume(): Promise<unknown> {
    return this.#tell(() => this.client.ask({ type: 'resume' }));
  }

  loseDevice(): Promise<unknown> {
    return this.#tell(() => this.client.ask({ type: 'loseDevice' }));
  }

  /** Changes a run while it trains. */
  changeRun(index: number, change: Partial<RunSettings>): void {
    const old = this.settings.runs[index]!;
    const usual = change.optimizer === undefined ? {} : { rate: usualRates[change.optimizer][this.#isText ? 1 : 0] };
    const next = { ...old, ...usual, ...change };
    const runs = this.settings.runs.map((run, n) => (n === index ? next : run)) as unknown as Settings['runs'];
    this.settings = { ...this.settings, runs };
    this.#share();
    if (this.isStarted) this.#applySoon();
  }

  get #isText(): boolean {
    return this.settings.data === 'text';
  }

  /** Changes what both runs have in common. Data, batch and seed hold from the next start. */
  change(change: Partial<Omit<Settings, 'runs'>>): void {
    const before = this.settings;
    this.settings = { ...before, ...change };
    if (change.data !== undefined && change.data !== before.data) {
      this.files = [];
      const { batch } = defaultsFor(change.data);
      // The formats and the optimizers stay.
      const kept = before.runs.map((run) => ({ ...run, rate: usualRates[run.optimizer][this.#isText ? 1 : 0] }));
      this.settings = { ...this.settings, batch, runs: kept as unknown as Settings['runs'] };
    }
    this.#share();
    const isLive = change.device !== undefined || change.steps !== undefined;
    if (isLive && this.isStarted) this.#applySoon();
  }

  #applyTimer: ReturnType<typeof setTimeout> | undefined;

  /** A slider that moves changes the runs once it rests. */
  #applySoon(): void {
    clearTimeout(this.#applyTimer);
    this.#applyTimer = setTimeout(() => {
      const settings = this.settings;
      void this.#tell(() => this.client.ask({ type: 'change', settings }));
    }, 150);
  }

  #share(): void {
    const fragment = fragmentOf(this.settings);
    history.replaceState(null, '', fragment === '' ? location.pathname : `#${fragment}`);
  }

  /** The address that has these settings. */
  get address(): string {
    return new URL(`#${fragmentOf(this.settings)}`, location.href).href;
  }

  async save(): Promise<Uint8Array | undefined> {
    return this.#tell(() => this.client.ask<'save'>({ type: 'save' }));
  }

  async load(bytes: Uint8Array, name: string): Promise<void> {
    const settings = await this.#tell(() => this.client.ask<'load'>({ type: 'load', bytes, name }));
    if (settings === undefined) return;
    this.settings = settings;
    this.isStarted = true;
    this.#share();
    this.notice(`${name} is loaded, at step ${this.step}.`);
  }

  async loadKept(): Promise<void> {
    const run = await this.#tell(keptRun);
    if (run === undefined) return;
    await this.load(run.bytes, 'The last run');
  }

  /** Keeps the run in the browser. Says once that it cannot. */
  async keep(): Promise<void> {
    if (!this.isStarted) return;
    this.#keptAt = performance.now();
    const { step } = this;
    // Between two sessions there is nothing to save; the next time there is.
    const bytes = await this.client.ask<'save'>({ type: 'save' }).catch(() => undefined);
    if (bytes === undefined) return;
    try {
      const time = Date.now();
      await keepRun({ bytes, step, time });
      this.kept = { step, time };
    } catch (error) {
      if (!this.#storageFailed) this.notice(storageProblem(error), true);
      this.#storageFailed = true;
    }
  }

  #take(report: Report): void {
    if (report.type === 'progress') this.#takeProgress(report);
    else if (report.type === 'notice') this.notice(report.text, report.isProblem);
    else if (report.type === 'paused') {
      this.isPaused = report.isPaused;
      if (report.isPaused) void this.keep();
    } else {
      this.device = report.device;
      this.kind = report.kind;
      this.title = report.title;
      this.data = report.data;
      this.parameters = report.parameters;
      this.step = report.step;
      for (const run of this.runs) run.clear(report.isNew ? undefined : report.step);
      this.version += 1;
    }
  }

  #takeProgress({ runs, stepsPerSecond }: Extract<Report, { type: 'progress' }>): void {
    for (const [n, { steps, losses, evaluations, bandwidth, failure }] of runs.entries()) {
      const run = this.runs[n]!;
      for (const [i, step] of steps.entries()) run.losses.add(step, losses[i]!);
      for (const { step, accuracy } of evaluations) run.accuracies.add(step, accuracy);
      run.loss = losses.at(-1) ?? run.loss;
      run.accuracy = evaluations.at(-1)?.accuracy ?? run.accuracy;
      run.heldOutLoss = evaluations.at(-1)?.loss ?? run.heldOutLoss;
      run.bandwidth = bandwidth ?? run.bandwidth;
      run.failure = failure;
      this.step = Math.max(this.step, steps.at(-1) ?? 0);
    }
    this.stepsPerSecond = stepsPerSecond ?? this.stepsPerSecond;
    this.version += 1;
    if (performance.now() - this.#keptAt > keepInterval && this.step > 0) void this.keep();
  }
}
