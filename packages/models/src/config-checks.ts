import { LmdError, refuseUnknownOptions, showValue } from '@lmd/core';

/** Maximum depth, far above that of any trained model. */
const deepest = 10_000;

/** Checks of a model's configuration; `kind` is its name in error messages, such as `A ViT`. */
export function configChecks(kind: string) {
  const invalid = (subject: string, value: unknown, remedy: string): never => {
    throw new LmdError('INVALID_ARGUMENT', `${kind} cannot have ${subject} = ${showValue(value)}.`, {
      subject,
      value,
      remedy,
    });
  };
  return {
    invalid,
    names(config: object, allowed: readonly string[]): void {
      refuseUnknownOptions(kind, config, allowed);
    },
    counts<Name extends string>(config: Readonly<Record<Name, unknown>>, names: readonly Name[]): void {
      for (const name of names) {
        const value = config[name];
        if (!Number.isSafeInteger(value) || (value as number) < 1)
          invalid(name, value, 'It must be a positive integer.');
      }
    },
    /** Rejects depths so large that the list of weights would not fit into memory: a mistake, or a damaged file. */
    depth(value: number): void {
      if (value > deepest) invalid('depth', value, `It must be at most ${deepest}.`);
    },
    choices(config: object, choices: { readonly [name: string]: readonly unknown[] }): void {
      for (const [name, values] of Object.entries(choices)) {
        const value = (config as Record<string, unknown>)[name];
        if (!values.includes(value)) invalid(name, value, `Use one of ${values.join(', ')}.`);
      }
    },
    /** Probabilities in [0, 1). */
    rates<Name extends string>(config: Readonly<Record<Name, unknown>>, names: readonly Name[]): void {
      for (const name of names) {
        const value = config[name];
        if (!(typeof value === 'number' && value >= 0 && value < 1)) invalid(name, value, 'It must be in [0, 1).');
      }
    },
    positive(name: string, value: unknown): void {
      if (!(typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY)) {
        invalid(name, value, 'It must be positive and finite.');
      }
    },
    divides(name: string, value: number, whole: string, of: number): void {
      if (of % value === 0) return;
      const divisors = Array.from({ length: Math.min(of, 10_000) }, (_, i) => i + 1).filter((d) => of % d === 0);
      const [shown, more] = [divisors.slice(0, 16).join(', '), divisors.length > 16 ? ', …' : ''];
      invalid(name, value, `It must divide ${whole} (${of}): use one of ${shown}${more}.`);
    },
  };
}
