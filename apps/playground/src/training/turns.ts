import { LmdError } from '@lmd/core';

interface Job {
  run(): Promise<void>;
  cancel(error: Error): void;
}

/**
 * Lets runs take their steps in turn, one at a time, and other work in between. A run waits in `take` before its first
 * step and in `pass` after each.
 */
export class Turns {
  #turn = 0;
  #isPaused = false;
  #isOver = false;
  readonly #left = new Set<number>();
  readonly #jobs: Job[] = [];
  #waiting: (() => void)[] = [];

  constructor(readonly count: number) {}

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  /** Lets every run go, also while paused. Jobs that have not begun are cancelled. */
  end(): void {
    this.#isOver = true;
    for (const job of this.#jobs.splice(0)) job.cancel(over());
    this.#wake();
  }

  /** A run that has ended takes no turns any more. */
  leave(run: number): void {
    this.#left.add(run);
    if (this.#left.size === this.count) this.end();
    else if (this.#turn === run) this.#next();
  }

  /** Runs `job` between two steps, also while paused. Its error is the caller's. */
  between<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#isOver) return Promise.reject(over());
    return new Promise((resolve, reject) => {
      this.#jobs.push({ run: () => job().then(resolve, reject), cancel: reject });
      this.#wake();
    });
  }

  async take(run: number): Promise<void> {
    while (!this.#isOver) {
      if (this.#turn === run) {
        const job = this.#jobs.shift();
        if (job !== undefined) {
          await job.run();
          continue;
        }
        if (!this.#isPaused) return;
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async pass(run: number): Promise<void> {
    if (this.#turn === run) this.#next();
    await this.take(run);
  }

  #next(): void {
    for (let n = 1; n <= this.count; n++) {
      const next = (this.#turn + n) % this.count;
      if (this.#left.has(next)) continue;
      this.#turn = next;
      break;
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function over(): LmdError {
  return new LmdError('INTERRUPTED', 'The runs have ended.', { subject: 'turns', remedy: 'Start them again.' });
}
