/** Speed over the last seconds, so that the displayed value is smooth. */
export class SpeedMeter {
  readonly #window: { readonly at: number; readonly samples: number }[] = [];
  readonly #seconds: number;

  constructor(seconds = 10) {
    this.#seconds = seconds;
  }

  /** @param at a clock in seconds; `samples` counts from the start. */
  add(at: number, samples: number): void {
    this.#window.push({ at, samples });
    while (this.#window.length > 2 && at - this.#window[0]!.at > this.#seconds) this.#window.shift();
  }

  get perSecond(): number {
    const first = this.#window[0];
    const last = this.#window.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return (last.samples - first.samples) / (last.at - first.at);
  }
}
