import { isLmdError } from '@lmd/core';
import type { Report, RunReport } from './messages.js';
import type { Session, SessionListener } from './session.js';
import { updateBandwidth } from './update-bandwidth.js';

/** Of reports to the page, in milliseconds. */
const reportInterval = 100;
/** Of measurements of the update, in milliseconds. */
const bandwidthInterval = 15_000;
/** Of the speed, in milliseconds. */
const speedInterval = 2000;

type Points = { steps: number[]; losses: number[]; evaluations: RunReport['evaluations'][number][] };

/** Collects what a session does, and reports it to the page a few times per second, with its speed. */
export class Reporter implements Pick<SessionListener, 'step' | 'evaluation'> {
  /** The session that is reported. */
  session: Session | undefined;
  readonly #send: (report: Report) => void;
  readonly #points: readonly Points[] = [0, 1].map(() => ({ steps: [], losses: [], evaluations: [] }));
  readonly #bandwidths: (number | undefined)[] = [];
  #reported = 0;
  #measured = Number.NEGATIVE_INFINITY;
  #speed: { readonly step: number; readonly time: number } | undefined;

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  step(run: number, step: number, loss: number): void {
    this.#points[run]!.steps.push(step);
    this.#points[run]!.losses.push(loss);
    const { session } = this;
    const now = performance.now();
    if (session !== undefined && now - this.#measured > bandwidthInterval) {
      this.#measured = now;
      void this.#measure(session);
    }
    if (now - this.#reported >= reportInterval) this.report();
  }

  evaluation(run: number, step: number, result: { readonly loss: number; readonly accuracy: number }): void {
    this.#points[run]!.evaluations.push({ step, ...result });
  }

  /** Begins to measure the speed again, as after a pause. */
  restart(): void {
    this.#speed = undefined;
  }

  report(): void {
    const { session } = this;
    if (session === undefined) return;
    const now = performance.now();
    const { step } = session;
    const speed = this.#speed;
    const stepsPerSecond = speed === undefined ? 0 : (1000 * (step - speed.step)) / (now - speed.time);
    if (speed === undefined || now - speed.time > speedInterval) this.#speed = { step, time: now };
    this.#reported = now;
    const runs = session.runs.map(({ failure }, n): RunReport => {
      const { steps, losses, evaluations } = this.#points[n]!;
      const bandwidth = this.#bandwidths[n];
      return {
        ...{ steps: steps.splice(0), losses: losses.splice(0), evaluations: evaluations.splice(0) },
        ...(bandwidth === undefined ? {} : { bandwidth }),
        ...(failure === undefined ? {} : { failure: failure.message }),
      };
    });
    this.#send({ type: 'progress', runs, ...(stepsPerSecond > 0 ? { stepsPerSecond } : {}) });
  }

  async #measure({ turns, runs }: Session): Promise<void> {
    try {
      await turns.between(async () => {
        for (const [n, run] of runs.entries()) this.#bandwidths[n] = await updateBandwidth(run);
      });
    } catch (error) {
      // The session ended before it was its turn, or the device was lost, which the next step reports.
      if (!isLmdError(error)) throw error;
    }
  }
}
