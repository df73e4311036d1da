import { adamwDefaults, defaultsOf, LmdError, unknownOption } from '@lmd/core';
import { type LMDOptimizerOptions, lmdOptimizerOptionTable } from './lmd-optimizer-options.js';

type Name = keyof LMDOptimizerOptions;

/** Default options of an optimizer. */
const defaults: { readonly [name in Name]: LMDOptimizerOptions[name] } = {
  ...defaultsOf(lmdOptimizerOptionTable),
  priorMedian: undefined,
  adamwFor: 'vectors',
  adamw: {},
};

/** Options that determine the initial state. */
const fixedByState: readonly string[] = [
  'gradientScaling',
  'priorMedianFloor',
  'initialization',
  'priorMedian',
  'stateFormat',
  'adamwFor',
] satisfies Name[];

/** Hyperparameter names of other optimizers that this one does not have, or has with another name. */
const foreign = ['lr', 'decay', 'weightDecay', 'momentum', 'rho', 'epsilon', 'clipNorm', 'clipValue', 'useNesterov'];

export interface Configurable {
  options(): LMDOptimizerOptions;
  hasState(): boolean;
  /** Throws for invalid options, without changing anything. */
  reconfigure(options: LMDOptimizerOptions): void;
}

/**
 * Defines every option as a property of a class: reading returns the current value, and an assignment applies from the
 * next step. Options that determine the state cannot be assigned once there are states, and names of other optimizers'
 * hyperparameters are rejected. `checkProperties` finds other names.
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
        throw unknownOption('LMDOptimizer', name, value, Object.keys(defaults));
      },
    });
  }
}

/**
 * Throws for assignments to unknown properties, such as `learning_rate`, which would have no effect.
 *
 * @param own names of the fields of the class.
 */
export function checkProperties(optimizer: object, own: readonly string[]): void {
  const name = Object.keys(optimizer).find((key) => !own.includes(key));
  if (name === undefined) return;
  throw unknownOption('LMDOptimizer', name, (optimizer as Record<string, unknown>)[name], Object.keys(defaults));
}

function assign(configurable: Configurable, name: Name, value: unknown): void {
  if (fixedByState.includes(name) && configurable.hasState()) {
    throw new LmdError('INVALID_ARGUMENT', `LMDOptimizer: ${name} cannot change once variables are trained.`, {
      subject: name,
      value,
      remedy: 'The state depends on it. Call optimizer.restart() first, or create a new LMDOptimizer.',
    });
  }
  configurable.reconfigure({ ...configurable.options(), [name]: value });
}

/** AdamW's options as properties, so that `optimizer.adamw.learningRate = 0` also takes effect. */
function adamwProperties(configurable: Configurable): object {
  const properties = {};
  for (const name of Object.keys(adamwDefaults) as (keyof typeof adamwDefaults)[]) {
    Object.defineProperty(properties, name, {
      enumerable: true,
      get: () => configurable.options().adamw?.[name] ?? adamwDefaults[name],
      set: (value) => assign(configurable, 'adamw', { ...configurable.options().adamw, [name]: value }),
    });
  }
  // Unknown names throw instead of being ignored.
  return Object.preventExtensions(properties);
}
