import { isLmdError, LmdError, type Pass } from '@lmd/core';
import type { TrainingEvent } from './events.js';
import type { Plugin, TrainingRun } from './plugin.js';

type HookName = 'start' | 'step' | 'evaluate' | 'settle' | 'checkpoint' | 'report' | 'warning' | 'end' | 'failure';

const hookOf: Readonly<Record<TrainingEvent['type'], HookName>> = {
  start: 'start',
  step: 'step',
  evaluation: 'evaluate',
  settle: 'settle',
  checkpoint: 'checkpoint',
  report: 'report',
  warning: 'warning',
  end: 'end',
  failure: 'failure',
};

/** Gives an event to every plugin, in order. */
export async function dispatch(plugins: readonly Plugin[], event: TrainingEvent, run: TrainingRun): Promise<void> {
  const name = hookOf[event.type];
  for (const plugin of plugins) {
    // The table pairs each event with the hook that takes it, which the type system cannot follow.
    const hook = plugin[name] as ((event: TrainingEvent, run: TrainingRun) => void | Promise<void>) | undefined;
    if (hook !== undefined) await guarded(plugin, name, () => hook.call(plugin, event, run));
  }
}

/** Runs a plugin's function, and names the plugin in the error if it throws. */
export async function guarded<T>(plugin: Plugin, hook: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw pluginFailure(plugin, hook, cause);
  }
}

/** Shows the passes of a step to every plugin that asks for them, in the middle of the step: nothing is awaited. */
export function showPasses(
  run: TrainingRun & { readonly plan: { readonly plugins: readonly Plugin[] } },
  passes: readonly Pass[],
): void {
  for (const plugin of run.plan.plugins) {
    try {
      plugin.passes?.(passes, run);
    } catch (cause) {
      throw pluginFailure(plugin, 'passes', cause);
    }
  }
}

function pluginFailure(plugin: Plugin, hook: string, cause: unknown): LmdError {
  // A hook that announces an event runs the hooks of others, and theirs is the failure.
  if (isLmdError(cause, 'PLUGIN_FAILURE')) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new LmdError('PLUGIN_FAILURE', `Plugin "${plugin.name}" failed in its hook "${hook}": ${message}`, {
    subject: plugin.name,
    value: hook,
    cause,
  });
}

/** Refuses two plugins of one name, under which the checkpoint would store one state. */
export function checkPlugins(plugins: readonly Plugin[]): void {
  const names = new Set<string>();
  for (const { name, state, restore } of plugins) {
    if (names.has(name)) {
      throw new LmdError('INVALID_ARGUMENT', `Two plugins are called "${name}".`, {
        subject: 'plugins',
        value: name,
        remedy: 'Give each a name of its own.',
      });
    }
    if ((state === undefined) !== (restore === undefined)) {
      throw new LmdError('INVALID_ARGUMENT', `Plugin "${name}" has one of state and restore, and not the other.`, {
        subject: 'plugins',
        value: name,
        remedy: 'A plugin with memory needs both, so that a resumed run is the same as an uninterrupted one.',
      });
    }
    names.add(name);
  }
}
