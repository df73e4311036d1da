import type { TrainingEvent } from '../events.js';
import type { Plugin, TrainingRun } from '../plugin.js';
import { pluginMarker } from '../plugin-marker.js';

/** Passes every event of a run to one function, for example for a log or a user interface. */
export function eventListener(
  listener: (event: TrainingEvent, run: TrainingRun) => void | Promise<void>,
  name = 'eventListener',
): Plugin {
  return {
    ...pluginMarker,
    name,
    start: listener,
    step: listener,
    evaluate: listener,
    settle: listener,
    checkpoint: listener,
    report: listener,
    warning: listener,
    end: listener,
    failure: listener,
  };
}
