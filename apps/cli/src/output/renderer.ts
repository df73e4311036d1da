import type { TerminalOutput } from '@lmd/training/node';
import type { Event, ResultEvent } from '../run/events.js';
import type { Colours } from './colours.js';
import { jsonLine } from './json.js';
import { progressLine } from './progress-line.js';
import { SpeedMeter } from './speed.js';
import { statusText } from './status-line.js';
import { eraseLine } from './terminal.js';
import { percent } from './units.js';
import { wrapText } from './wrap.js';

export interface Renderer {
  event(event: Event): void;
  /** Ends the line being redrawn, so that other text can follow. */
  clear(): void;
}

/** Writes one JSON object per line, and nothing else. */
export function jsonRenderer(output: TerminalOutput): Renderer {
  return {
    event(event) {
      if (event.type !== 'progress') output.write(jsonLine(event));
    },
    clear() {},
  };
}

const redrawSeconds = 0.1;
const plainSeconds = 5;

/**
 * Human-readable output. On a terminal one line is redrawn at most ten times a second. Elsewhere a plain line is
 * written every few seconds.
 *
 * @param now a clock in seconds.
 */
export function humanRenderer(
  output: TerminalOutput,
  colours: Colours,
  now = () => performance.now() / 1000,
): Renderer {
  const terminal = output.isTTY === true;
  const interval = terminal ? redrawSeconds : plainSeconds;
  let meter = new SpeedMeter();
  let started = { at: 0, step: 0 };
  let totalSteps = 0;
  let samples = 0;
  let examples = 'images';
  let drawnAt = Number.NEGATIVE_INFINITY;
  let open = false;
  let progressAt = Number.NEGATIVE_INFINITY;

  function clear(): void {
    if (open) output.write(eraseLine);
    open = false;
  }

  function print(text: string): void {
    clear();
    output.write(`${wrapText(text, output.columns)}\n`);
  }

  function drawStep(event: Extract<Event, { type: 'step' }>): void {
    const at = now();
    samples += event.samples;
    meter.add(at, samples);
    if (at - drawnAt < interval && event.step < totalSteps) return;
    drawnAt = at;
    // The time left includes evaluations. The speed is that of the steps only.
    const secondsPerStep = (at - started.at) / (event.step - started.step);
    const line = progressLine(
      {
        optimizer: event.optimizer,
        step: event.step,
        steps: totalSteps,
        loss: event.loss,
        examplesPerSecond: meter.perSecond,
        examples,
        secondsLeft: secondsPerStep * (totalSteps - event.step),
      },
      // The last column stays free: some terminals wrap when it is written.
      terminal ? (output.columns ?? 80) - 1 : 120,
    );
    if (terminal) {
      output.write(`${eraseLine}${line}`);
      open = true;
    } else print(line);
  }

  /** On a terminal, the line of the steps shows the set-up and the evaluations too. */
  function drawProgress({ what, done, total }: Extract<Event, { type: 'progress' }>): void {
    if (!terminal || (done !== undefined && now() - progressAt < interval)) return;
    progressAt = now();
    output.write(`${eraseLine}${statusText(what, done, total, (output.columns ?? 80) - 1)}`);
    open = true;
  }

  function restartMeter(): void {
    meter = new SpeedMeter();
    samples = 0;
    meter.add(now(), samples);
  }

  function showResult(event: ResultEvent): void {
    const { optimizer, testAccuracy, testLoss, validationAccuracy, validationLoss, seconds, skipped } = event;
    const split = testLoss === undefined ? 'validation' : 'test';
    const accuracy = percent((testAccuracy ?? validationAccuracy)!);
    const outcome = `${split} accuracy ${accuracy}, loss ${(testLoss ?? validationLoss)!.toFixed(4)}`;
    const note = skipped ? colours.dim('(finished before)') : `in ${seconds.toFixed(1)} s`;
    print(`${colours.green('done')} ${colours.bold(optimizer)}: ${outcome} ${note}`);
  }

  return {
    clear,
    event(event) {
      switch (event.type) {
        case 'run':
          examples = event.examples;
          print(`${colours.bold(event.name)} ${event.resumed ? 'resumes' : 'runs'} in ${event.runFolder}`);
          break;
        case 'start':
          started = { at: now(), step: event.startStep };
          totalSteps = event.totalSteps;
          drawnAt = Number.NEGATIVE_INFINITY;
          restartMeter();
          print(
            `${colours.cyan('train')} ${colours.bold(event.optimizer)}: ${event.model} ` +
              `on ${event.device}${event.startStep > 0 ? `, from step ${event.startStep}` : ''}`,
          );
          break;
        case 'progress':
          drawProgress(event);
          break;
        case 'step':
          drawStep(event);
          break;
        case 'evaluation':
          restartMeter();
          if (event.split === 'validation') {
            print(
              colours.dim(
                `  step ${event.step}: validation accuracy ${percent(event.accuracy)}, loss ${event.loss.toFixed(4)}`,
              ),
            );
          }
          break;
        case 'warning':
          print(`${colours.yellow('note')} ${event.message}`);
          break;
        case 'result':
          showResult(event);
          break;
        default:
          break;
      }
    },
  };
}
