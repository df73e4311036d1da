import type { Json, LoadedCheckpoint } from '@lmd/training';
import type { z } from 'zod';
import { dataSchema } from '../configuration/data-schema.js';
import { modelSchema } from '../configuration/model-schema.js';
import { optimizerSchema } from '../configuration/optimizer-schema.js';

type Record = { readonly [key: string]: Json };

/**
 * The identity that an earlier version recorded, with the options that this version has besides, at their defaults: a
 * new option's default is what the command did before. What does not fit the schema any more is left as it is, and then
 * differs.
 */
export function completeIdentity(recorded: Record): Record {
  const { data, model, optimizer } = recorded;
  return {
    ...recorded,
    ...part('data', data, dataSchema, ['folder', 'path']),
    ...part('model', model, modelSchema),
    ...part('optimizer', optimizer, optimizerSchema),
  };
}

/** A checkpoint whose configuration has the options that this version has besides. */
export function withCompleteIdentity(loaded: LoadedCheckpoint | undefined): LoadedCheckpoint | undefined {
  const configuration = loaded?.checkpoint.identity.configuration;
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration)) return loaded;
  const { checkpoint } = loaded!;
  const identity = { ...checkpoint.identity, configuration: completeIdentity(configuration as Record) };
  return { ...loaded!, checkpoint: { ...checkpoint, identity } };
}

/** @param left keys that an identity does not have, of which the schema may want one or have a default for it. */
function part(key: string, value: Json | undefined, schema: z.ZodType, left: readonly string[] = []): Record {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  for (const addition of [{}, ...left.map((name) => ({ [name]: '.' }))]) {
    const { success, data } = schema.safeParse({ ...value, ...addition });
    if (!success) continue;
    const complete = JSON.parse(JSON.stringify(data)) as { [key: string]: Json };
    for (const name of left) delete complete[name];
    return { [key]: complete };
  }
  return {};
}
