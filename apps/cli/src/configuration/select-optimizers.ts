import { didYouMean } from '@lmd/core';
import { UsageError } from '../errors.js';
import type { Configuration } from './schema.js';

/**
 * Keeps only the named optimizers of a configuration.
 *
 * @param only names of `--only`; undefined keeps all.
 * @throws UsageError if there is no optimizer of a name.
 */
export function selectOptimizers(configuration: Configuration, only: readonly string[] | undefined): Configuration {
  if (only === undefined) return configuration;
  const names = configuration.optimizers.map(({ name }) => name);
  for (const name of only) {
    if (names.includes(name)) continue;
    throw new UsageError(
      'INVALID_ARGUMENT',
      `--only ${name}: the configuration has no such optimizer.${didYouMean(name, names)}`,
      { subject: name, remedy: `Allowed: ${names.join(', ')}.` },
    );
  }
  return { ...configuration, optimizers: configuration.optimizers.filter(({ name }) => only.includes(name)) };
}
