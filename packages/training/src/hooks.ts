import {
  checkContractVersion,
  describeValue,
  didYouMean,
  isLmdError,
  LmdError,
  messageOf,
  ofMaker,
  type Pass,
} from '@lmd/core';
import type { TrainingEvent } from './events.js';
import { thisTraining } from './made-by.js';
import { type Plugin, pluginSpecVersion, type TrainingRun } from './plugin.js';

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

/** Passes an event to every plugin, in order. */
export async function dispatch(plugins: readonly Plugin[], event: TrainingEvent, run: TrainingRun): Promise<void> {
  const name = hookOf[event.type];
  for (const plugin of plugins) {
    // The table maps each event to its hook, which the type system cannot express.
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

/** Passes the gradients of a step to every plugin with a `passes` hook, within the step; nothing is awaited. */
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
  // A hook that announces an event runs hooks of other plugins, whose failure is reported.
  if (isLmdError(cause, 'PLUGIN_FAILURE')) return cause;
  const message = messageOf(cause);
  return new LmdError('PLUGIN_FAILURE', `Plugin "${plugin.name}" failed in its hook "${hook}": ${message}`, {
    subject: plugin.name,
    value: hook,
    cause,
  });
}

const hookNames = [
  ...Object.values(hookOf),
  ...(['passes', 'weights', 'state', 'restore', 'close'] as const),
] satisfies (keyof Plugin)[];

/**
 * Checks each plugin, and that names are unique, since the checkpoint stores states by name.
 *
 * @throws LmdError `INVALID_ARGUMENT`; `UNKNOWN_OPTION` for a function that is not a hook
 */
export function checkPlugins(plugins: readonly Plugin[]): void {
  if (!Array.isArray(plugins)) throw wrongPlugin('plugins', plugins, 'Use an array of plugins.');
  const names = new Set<string>();
  for (const [index, plugin] of plugins.entries()) {
    checkPlugin(plugin, `plugins[${index}]`);
    const { name } = plugin;
    if (names.has(name)) {
      throw new LmdError('INVALID_ARGUMENT', `Two plugins have the name "${name}".`, {
        subject: 'plugins',
        value: name,
        remedy: 'Use a unique name for each.',
      });
    }
    names.add(name);
  }
}

/**
 * Checks a plugin: a name, hooks that are functions, both or neither of `state` and `restore`, and no function with
 * another name, which would never be called. Inherited methods of a class are allowed unless they are named like a
 * hook, such as `onStep`.
 */
function checkPlugin(plugin: Plugin, place = 'plugin'): void {
  if (typeof plugin === 'function') {
    throw wrongPlugin(place, plugin, 'A plugin is an object. Call the function that creates it.');
  }
  const remedy = 'Use an object with a `name` and hooks, such as earlyStopping({ … }).';
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.name !== 'string' || plugin.name === '') {
    throw wrongPlugin(place, plugin, remedy);
  }
  const { name } = plugin;
  const owner = `Plugin "${name}"${ofMaker(plugin)}`;
  checkContractVersion(plugin, { owner, specVersion: pluginSpecVersion, definedBy: thisTraining, remedy });
  const members = plugin as unknown as Record<string, unknown>;
  for (const hook of hookNames) {
    if (members[hook] === undefined || typeof members[hook] === 'function') continue;
    throw new LmdError('INVALID_ARGUMENT', `${owner} has ${hook} = ${describeValue(members[hook])}.`, {
      subject: hook,
      value: members[hook],
      remedy: 'A hook must be a function or absent.',
    });
  }
  const hooks: readonly string[] = hookNames;
  const inherited =
    Object.getPrototypeOf(plugin) === null ? [] : inheritedNames(plugin).filter((key) => isLikeHook(key));
  const unknown = [...Object.keys(plugin).filter((key) => typeof members[key] === 'function'), ...inherited].find(
    (key) => !hooks.includes(key),
  );
  if (unknown !== undefined) {
    const suggestion = didYouMean(unknown.replace(/^(on|before|after)(?=[A-Z])/, ''), hooks);
    throw new LmdError(
      'UNKNOWN_OPTION',
      `${owner} has a hook "${unknown}", which ${thisTraining} does not call.${suggestion}`,
      {
        subject: unknown,
        value: name,
        remedy: `Its hooks are ${hooks.join(', ')}.`,
      },
    );
  }
  if ((plugin.state === undefined) !== (plugin.restore === undefined)) {
    throw new LmdError('INVALID_ARGUMENT', `${owner} has only one of state and restore.`, {
      subject: 'plugins',
      value: name,
      remedy: 'A plugin with state needs both, so that a run resumes bit-identically.',
    });
  }
}

function inheritedNames(plugin: object): string[] {
  const names: string[] = [];
  for (let at = Object.getPrototypeOf(plugin); Object.getPrototypeOf(at) !== null; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names;
}

const isLikeHook = (key: string): boolean => /^(on|before|after)[A-Z]/.test(key);

function wrongPlugin(subject: string, value: unknown, remedy: string): LmdError {
  return new LmdError('INVALID_ARGUMENT', `${subject} is ${describeValue(value)}.`, { subject, value, remedy });
}
