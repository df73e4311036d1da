import {
  type AdamwOptions,
  adamw,
  LmdError,
  type LmdOptions,
  lmd,
  lmdOptionTable,
  type Optimizer,
  type OptionsOf,
  type OptionTable,
  option,
  resolveOptions,
  type WeightPredicate,
} from '@lmd/core';
import { meantBy } from './variable-names.js';
import { isRegistered } from './variables.js';

/** The options of `LMDOptimizer` beside those of `lmd`, declared once. */
export const ownOptionTable = {
  /** Random seed of all posterior samples. A whole number, at least 0; default 0. */
  seed: option.integer({ atLeast: 0, default: 0, describe: 'Random seed of all posterior samples.' }),
  /**
   * Which variables AdamW updates instead of LMD. `vectors` (default): those of rank 0 and 1, which are biases and
   * gains of normalization; they start at 0 or 1, and a multiplicative update cannot leave 0. `none`. A list of
   * variables' names: these and the vectors. A function of name and shape: those for which it returns true. This choice
   * is ours, not of the paper. `vectors`, `none`, a list of names, or a function of name and shape.
   */
  adamwFor: option.value<'vectors' | 'none' | readonly string[] | WeightPredicate>({
    describe:
      'Which variables AdamW updates instead of LMD. `vectors` (default): those of rank 0 and 1, which are biases and ' +
      'gains of normalization; they start at 0 or 1, and a multiplicative update cannot leave 0. `none`. A list of ' +
      "variables' names: these and the vectors. A function of name and shape: those for which it returns true. This " +
      'choice is ours, not of the paper.',
    allowed: '`vectors`, `none`, a list of names, or a function of name and shape',
    check: (given) =>
      given === 'vectors' ||
      given === 'none' ||
      typeof given === 'function' ||
      (Array.isArray(given) && given.every((name) => typeof name === 'string')),
  }),
  /** Options of AdamW for those variables, with its own learning rate: by default 1e-3. An object. */
  adamw: option.object<AdamwOptions>({
    describe: 'Options of AdamW for those variables, with its own learning rate: by default 1e-3.',
  }),
} as const satisfies OptionTable;

/** All options of `LMDOptimizer`. */
export const lmdOptimizerOptionTable = { ...lmdOptionTable, ...ownOptionTable } as const satisfies OptionTable;

/**
 * Options of `LMDOptimizer`: those of `lmd` of `@lmd/core`, under the same names and with the same defaults, and three
 * of its own.
 */
export interface LMDOptimizerOptions extends LmdOptions, OptionsOf<typeof ownOptionTable> {}

export type Rule = 'lmd' | 'adamw';

export interface ResolvedOptimizerOptions {
  readonly seed: number;
  readonly rules: { readonly [rule in Rule]: Optimizer };
  /**
   * `lmd` for the first state of variables, each by the name that core knows it by, and with medians of the prior for
   * these only: it refuses names that it is not given. `own` are all variables of the optimizer.
   */
  readonly lmdFor: (own: readonly string[], drawNames: ReadonlyMap<string, string>) => Optimizer;
  /** Which rule updates each of the optimizer's variables. */
  readonly ruleChooser: (own: readonly string[]) => (name: string, shape: readonly number[]) => Rule;
  /** The variables that options name, and the option that names each. */
  readonly namedVariables: readonly (readonly [option: string, name: string])[];
}

const owner = 'LMDOptimizer';

/** Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT`, naming the option. */
export function resolveOptimizerOptions(options: LMDOptimizerOptions): ResolvedOptimizerOptions {
  resolveOptions(owner, lmdOptimizerOptionTable, options);
  const { seed = 0, adamwFor = 'vectors', adamw: adamwOptions = {}, ...lmdOptions } = options;
  const { priorMedian } = lmdOptions;
  return {
    seed,
    rules: { lmd: lmd(lmdOptions), adamw: adamw(adamwOptions) },
    lmdFor(own, drawNames) {
      if (!isRecord(priorMedian)) return lmd(lmdOptions);
      const medians = Object.entries(priorMedian).map(([name, median]) => {
        const meant = meantBy(name, own, isRegistered);
        return [meant === undefined ? undefined : drawNames.get(meant), median] as const;
      });
      const given = medians.filter(([name]) => name !== undefined);
      return lmd({ ...lmdOptions, priorMedian: Object.fromEntries(given) });
    },
    ruleChooser: ruleChooserOf(adamwFor),
    namedVariables: [
      ...(isRecord(priorMedian) ? Object.keys(priorMedian) : []).map((name) => ['priorMedian', name] as const),
      ...(Array.isArray(adamwFor) ? adamwFor : []).map((name) => ['adamwFor', name] as const),
    ],
  };
}

function isRecord(value: LMDOptimizerOptions['priorMedian']): value is { readonly [weight: string]: number } {
  return typeof value === 'object' && value !== null;
}

function ruleChooserOf(
  adamwFor: NonNullable<LMDOptimizerOptions['adamwFor']>,
): ResolvedOptimizerOptions['ruleChooser'] {
  if (adamwFor === 'none') return () => () => 'lmd';
  if (adamwFor === 'vectors') return () => (_, shape) => (shape.length < 2 ? 'adamw' : 'lmd');
  if (typeof adamwFor === 'function') return () => (name, shape) => (adamwFor(name, shape) ? 'adamw' : 'lmd');
  return (own) => {
    const meant = new Set(adamwFor.map((name) => meantBy(name, own, isRegistered)));
    return (name, shape) => (shape.length < 2 || meant.has(name) ? 'adamw' : 'lmd');
  };
}

type Config = { [key: string]: Config | Config[] | string | number | boolean | null };

/**
 * The options as TensorFlow.js stores a configuration. Loading a model turns every string with an underscore into camel
 * case, keys and values, but for the value of a key `name`; so names of variables are stored there.
 *
 * @throws LmdError `UNSUPPORTED` for an option that is a function
 */
export function configOf(options: LMDOptimizerOptions): Config {
  const plain = (path: string, value: unknown): Config[string] => {
    if (typeof value === 'function') {
      throw new LmdError('UNSUPPORTED', `${owner}: the option ${path} is a function, which cannot be stored.`, {
        subject: path,
        value,
        remedy: 'Save the model without its optimizer, and create the optimizer again with the same options.',
      });
    }
    if (Array.isArray(value)) return value.map((name: string) => ({ name }));
    if (typeof value !== 'object' || value === null) return value as string | number | boolean | null;
    if (path === 'priorMedian')
      return Object.entries(value).map(([name, median]) => ({ name, median: median as number }));
    return record(`${path}.`, value);
  };
  const record = (prefix: string, value: object): Config =>
    Object.fromEntries(
      Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([name, entry]) => [name, plain(`${prefix}${name}`, entry)]),
    );
  return record('', options);
}

/** The options of a configuration that `configOf` made, whether or not it went through a file. */
export function optionsOf(config: Record<string, unknown>): LMDOptimizerOptions {
  // tfjs-layers adds what it calls custom objects to every configuration that it reads.
  const { customObjects, adamwFor, priorMedian, ...rest } = config;
  return {
    ...rest,
    ...(adamwFor === undefined
      ? {}
      : { adamwFor: Array.isArray(adamwFor) ? adamwFor.map(({ name }: { name: string }) => name) : adamwFor }),
    ...(priorMedian === undefined
      ? {}
      : {
          priorMedian: Array.isArray(priorMedian)
            ? Object.fromEntries(
                priorMedian.map(({ name, median }: { name: string; median: number }) => [name, median]),
              )
            : priorMedian,
        }),
  } as LMDOptimizerOptions;
}
