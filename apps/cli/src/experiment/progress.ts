import { verbatim } from '@lmd/training/node';
import { showDuration } from './estimate.js';
import type { RecordedResult } from './result.js';
import type { PlannedTrial } from './trial.js';

export interface ProgressState {
  readonly done: number;
  readonly total: number;
  /** Undefined before a trial has been timed. */
  readonly secondsLeft: number | undefined;
  readonly running: readonly { readonly trial: PlannedTrial; readonly step: number }[];
}

/** Progress output: one line that is redrawn on a terminal, or one line per trial elsewhere. */
export class Progress {
  readonly #write: (text: string) => void;
  /** Whether there is a line to redraw. */
  readonly terminal: boolean;
  #shown = false;

  readonly #columns: number;

  /** @param columns width of the terminal. The last column stays free, since some terminals wrap after it. */
  constructor(write: (text: string) => void, terminal: boolean, columns = 80) {
    this.#write = write;
    this.terminal = terminal;
    this.#columns = columns - 1;
  }

  say(text: string): void {
    this.#clear();
    this.#write(`${text}\n`);
  }

  finished({
    trial,
    result,
    state,
  }: {
    readonly trial: PlannedTrial;
    readonly result: RecordedResult;
    readonly state: ProgressState;
  }) {
    const found =
      result.accuracy === null
        ? 'diverged'
        : `${(100 * result.accuracy).toFixed(2)} %, loss ${result.loss!.toFixed(4)}${result.diverged ? ', diverged' : ''}`;
    this.say(`[${state.done}/${state.total}] ${trial.label}: ${found}; ${timeLeft(state)}`);
  }

  running({ done, total, secondsLeft, running }: ProgressState): void {
    if (!this.terminal) return;
    const now = running.map(({ trial, step }) => `${trial.label} ${step}/${trial.steps}`).join('; ');
    this.#clear();
    this.#write(`[${done}/${total}] ${now}; ${timeLeft({ secondsLeft })}`.slice(0, this.#columns));
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) this.#write(verbatim('\r\u001b[K'));
    this.#shown = false;
  }
}

function timeLeft({ secondsLeft }: Pick<ProgressState, 'secondsLeft'>): string {
  return secondsLeft === undefined ? 'time left not known yet' : `${showDuration(secondsLeft)} left`;
}
