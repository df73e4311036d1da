import { interrupted } from '../errors.js';
import type { Contribution, RoundPlace } from '../transport.js';

/** Who reads the messages of a round. */
interface Reader {
  /** Ends the reading. */
  stop(): void;
  /** Called when the deadline has passed, and after each message from then on. */
  passed(): void;
}

/** What ends the wait of a worker for a round: its time, its deadline, its signal, or a failure. */
export class Wait {
  /** The error of a worker that has waited for too long. */
  missing: () => Error = () => new Error('The round has no reader.');
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #abort: () => void;
  #reader: Reader | undefined;
  #isStale = false;
  #isPastDeadline = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(place: RoundPlace, { timeoutMs, deadlineMs, signal }: Contribution) {
    this.#signal = signal;
    this.#abort = () => this.fail(interrupted(place));
    this.#timers.push(setTimeout(() => this.fail(this.missing()), timeoutMs));
    if (deadlineMs !== undefined) {
      this.#timers.push(
        setTimeout(() => {
          this.#isPastDeadline = true;
          this.look();
        }, deadlineMs),
      );
    }
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted === true) this.#abort();
  }

  begin(reader: Reader): void {
    this.#reader = reader;
    if (this.#failure !== undefined || this.#isStale) reader.stop();
    else this.look();
    this.#isStale = false;
  }

  /** Ends the reading that goes on, or the next one, without a failure: another shall begin. */
  again(): void {
    if (this.#reader === undefined) this.#isStale = true;
    else this.#reader.stop();
  }

  /** To be called when a reading has ended. */
  stopped(): void {
    this.#reader = undefined;
  }

  /** Looks whether the deadline has passed. */
  look(): void {
    if (this.#isPastDeadline) this.#reader?.passed();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reader?.stop();
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}
