import { adamwDefaults, LmdError, lmdDefaults } from '@lmd/core';
import type { LMDOptimizerOptions } from './lmd-optimizer-options.js';

type Name = keyof LMDOptimizerOptions;

/** What an optimizer takes where no option is given. */
const defaults: { readonly [name in Name]: LMDOptimizerOptions[name] } = {
  ...lmdDefaults,
  priorMedian: undefined,
  seed: 0,
  adamwFor: 'vectors',
  adamw: {},
};

/** What first states are made with. */
const fixedByState: readonly string[] = [
  'gradientScaling',
  'priorMedianFloor',
  'initialization',
  'priorMedian',
  'stateFormat',
  'adamwFor',
] satisfies Name[];

/** Names under which other optimizers have what this one does not, or has under another name. */
const foreign = ['lr', 'decay', 'weightDecay', 'momentum', 'rho', 'epsilon', 'clipNorm', 'clipValue', 'useNesterov'];

export interface Configurable {
  options(): LMDOptimizerOptions;
  hasState(): boolean;
  /** Throws for options that are not valid, and then changes nothing. */
  reconfigure(options: LMDOptimizerOptions): void;
}

/**
 * Makes every option a property of a class's instances: it reads as what holds now, and what is assigned holds from the
 * next step on. An option that states were made with is refused once there are states, and so are the names of other
 * optimizers' hyper-parameters. `checkProperties` finds other names.
 */
export function defineHyperparameters<T>(prototype: T & object, of: (instance: T) => Configurable): void {
  for (const name of Object.keys(defaults) as Name[]) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get(this: T) {
        const configurable = of(this);
        return name === 'adamw' ? adamwProperties(configurable) : (configurable.options()[name] ?? defaults[name]);
      },
      set(this: T, value: unknown) {
        assign(of(this), name, value);
      },
    });
  }
  for (const name of foreign) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      get: () => undefined,
      set(value: unknown) {
        throw unknown(name, value);
      },
    });
  }
}

function unknown(name: string, value: unknown): LmdError {
  return new LmdError('UNKNOWN_OPTION', `LMDOptimizer has no hyper-parameter "${name}".`, {
    subject: name,
    value,
    remedy: `It has ${Object.keys(defaults).join(', ')}.`,
  });
}

/**
 * Refuses what was assigned to a name that no property has, such as `learning_rate`: it would be passed over.
 *
 * @param own names of the fields that the class itself made.
 */
export function checkProperties(optimizer: object, own: readonly string[]): void {
  const name = Object.keys(optimizer).find((key) => !own.includes(key));
  if (name !== undefined) throw unknown(name, (optimizer as Record<string, unknown>)[name]);
}

function assign(configurable: Configurable, name: Name, value: unknown): void {
  if (fixedByState.includes(name) && configurable.hasState()) {
    throw new LmdError('INVALID_ARGUMENT', `LMDOptimizer: ${name} cannot change once variables are trained.`, {
      subject: name,
      value,
      remedy: 'The stored state was made with it. Call optimizer.restart() first, or make a new LMDOptimizer.',
    });
  }
  configurable.reconfigure({ ...configurable.options(), [name]: value });
}

/** AdamW's options as properties, so that `optimizer.adamw.learningRate = 0` is obeyed as well. */
function adamwProperties(configurable: Configurable): object {
  const properties = {};
  for (const name of Object.keys(adamwDefaults) as (keyof typeof adamwDefaults)[]) {
    Object.defineProperty(properties, name, {
      enumerable: true,
      get: () => configurable.options().adamw?.[name] ?? adamwDefaults[name],
      set: (value) => assign(configurable, 'adamw', { ...configurable.options().adamw, [name]: value }),
    });
  }
  // Another name throws instead of being passed over.
  return Object.preventExtensions(properties);
}
