import type { Dataset, Json } from '@lmd/training';
import { type Configuration, precisionOf } from '../configuration/schema.js';
import type { RunData } from '../data/run-data.js';
import { withoutModulePath } from '../modules/uses.js';

type Identity = { readonly [key: string]: Json };

/**
 * The part of the configuration that determines the result of one optimizer: everything except what `checkResumable`
 * allows to change.
 */
export function configuredIdentity(configuration: Configuration, index: number): Identity {
  const { model, fineTuning, data, dataSeed, backward, evaluation, weightAveraging, earlyStopping, plugins, steps } =
    configuration;
  const { folder: _, path: ___, ...examples } = { folder: undefined, path: undefined, ...data };
  const optimizer = configuration.optimizers[index]!;
  const { batchSize: __, ...evaluated } = evaluation;
  const identity = {
    model: withoutModulePath(model),
    fineTuning,
    data: withoutModulePath(examples),
    dataSeed,
    precision: precisionOf(configuration, optimizer),
    backward,
    weightAveraging,
    earlyStopping,
    optimizer: withoutModulePath(optimizer),
    plugins: plugins?.map(withoutModulePath),
    // A schedule that is not constant depends on the number of steps.
    ...(optimizer.schedule.kind === 'constant' ? {} : { steps }),
    // Early stopping depends on the evaluation.
    ...(earlyStopping === undefined ? {} : { evaluation: evaluated }),
  };
  return JSON.parse(JSON.stringify(identity)) as Identity;
}

/** A data set with a fingerprint of its contents. */
type Fingerprinted = Dataset & { readonly fingerprint?: string | undefined };

/**
 * The identity that must be equal when an optimizer is resumed.
 *
 * @param base SHA-256 of the frozen weights.
 */
export function trialIdentity(
  configuration: Configuration,
  index: number,
  { train, validation, test }: RunData,
  base: string | undefined,
): Identity {
  const parts: Readonly<Record<string, Fingerprinted>> = { train, validation, test };
  const contents = Object.entries(parts).flatMap(([name, { fingerprint }]) =>
    fingerprint === undefined ? [] : [[name, fingerprint]],
  );
  return {
    ...configuredIdentity(configuration, index),
    ...(base === undefined ? {} : { base }),
    ...(contents.length === 0 ? {} : { contents: Object.fromEntries(contents) as Json }),
  };
}
