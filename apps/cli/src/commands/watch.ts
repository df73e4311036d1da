import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { interruptSignal, isRunLocked, verbatim } from '@lmd/training/node';
import { jsonLine } from '../output/json.js';
import { eraseLine, type Terminal } from '../output/terminal.js';
import { percent } from '../output/units.js';
import { runLayout } from '../run/layout.js';
import { configurationOf, shortPath } from '../run/run.js';
import { readTrialSummary } from '../trial/summary.js';
import { followMetrics } from '../watch/follow-metrics.js';
import { trialState } from '../watch/trial-state.js';
import { currentTrial, statusOf, trialLine, type WatchedRun, watchFrame } from '../watch/watch-frame.js';

export interface WatchCommandOptions {
  /** Seconds between looks at the folder. */
  readonly interval: number;
  readonly json?: boolean;
}

/** A display of a run in progress. */
interface Display {
  show(run: WatchedRun): void;
}

/** `lmd watch`: the curves of a run in progress, until it ends or Ctrl-C. */
export async function watchCommand(
  path: string,
  { interval, json }: WatchCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const folder = resolve(path);
  const look = watcher(folder);
  const display = json ? jsonDisplay(terminal) : terminal.out.isTTY ? liveDisplay(terminal) : plainDisplay(terminal);
  const { signal, dispose } = interruptSignal();
  try {
    for (;;) {
      const run = await look();
      display.show(run);
      if (!run.isRunning || signal.aborted) {
        if (!json) terminal.out.write(ending(run, folder));
        return;
      }
      // Ends early on Ctrl-C, which ends the display and not the run.
      await wait(1000 * interval, undefined, { signal }).catch(() => {});
    }
  } finally {
    dispose();
  }
}

function watcher(folder: string): () => Promise<WatchedRun> {
  const { name, model, steps, optimizers } = configurationOf(folder);
  const layout = runLayout(folder);
  const followed = optimizers.map((optimizer) => {
    const trial = layout.trial(optimizer.name);
    return { name: optimizer.name, folder: trial.folder, lines: followMetrics(trial.metrics) };
  });
  const examples = model.kind === 'gpt2' ? 'sequences' : 'images';
  return async () => {
    // First, so that a run which ends now is seen with its last lines.
    const isRunning = await isRunLocked(folder);
    const trials = followed.map((trial) =>
      trialState(trial.name, readTrialSummary(trial.folder) !== undefined, steps, trial.lines()),
    );
    return { name, examples, trials, isRunning };
  };
}

function ending(run: WatchedRun, folder: string): string {
  const status = statusOf(run);
  if (status === 'training') return 'The run continues.\n';
  if (status === 'finished') return `Report  ${shortPath(runLayout(folder).report)}\n`;
  return `No process trains this run. Resume it with: lmd train --resume ${shortPath(folder)}\n`;
}

/** Redraws the same lines. */
function liveDisplay({ out, colours }: Terminal): Display {
  let drawn = 0;
  return {
    show(run) {
      // The last column stays free: some terminals wrap when it is written.
      const lines = watchFrame(run, (out.columns ?? 80) - 1, colours);
      const up = drawn === 0 ? '' : verbatim(`\u001b[${drawn}A\u001b[J`);
      out.write(`${up}${lines.map((line) => `${eraseLine}${line}\n`).join('')}`);
      drawn = lines.length;
    },
  };
}

const plainSeconds = 5;

/** A line every few seconds and for each validation. */
function plainDisplay({ out }: Terminal): Display {
  let written = Number.NEGATIVE_INFINITY;
  let line = '';
  const validated = new Map<string, number>();
  return {
    show(run) {
      for (const { optimizer, validation } of run.trials) {
        for (const { step, accuracy, loss } of validation.slice(validated.get(optimizer) ?? 0)) {
          out.write(`${optimizer}  step ${step}: validation accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}\n`);
        }
        validated.set(optimizer, validation.length);
      }
      const current = currentTrial(run);
      const now = performance.now() / 1000;
      if (current === undefined || (run.isRunning && now - written < plainSeconds)) return;
      const next = trialLine(current, run.examples, 120);
      if (next !== line) out.write(`${next}\n`);
      line = next;
      written = now;
    },
  };
}

/** One JSON object at each look: the state of every optimizer without its curves. */
function jsonDisplay({ out }: Terminal): Display {
  return {
    show(run) {
      const optimizers = run.trials.map(({ losses, validation, ...state }) => {
        return { ...state, loss: losses.at(-1), validation: validation.at(-1) };
      });
      out.write(jsonLine({ type: 'watch', name: run.name, status: statusOf(run), optimizers }));
    },
  };
}
