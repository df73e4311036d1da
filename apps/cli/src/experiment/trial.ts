import { createHash } from 'node:crypto';
import type { ConfigurationInput } from '../configuration/schema.js';

/**
 * A configuration of `lmd train` without its name: everything that determines a trial's result, except the code.
 */
export type TrialConfiguration = Omit<ConfigurationInput, 'name'> & { readonly data: { readonly kind: string } };

export type Scalar = number | string | boolean;
export type Options = { readonly [option: string]: Scalar };

/** One trial of a search or a study: its configuration and its purpose. */
export interface PlannedTrial {
  /** Readable label: `final lmd mxfp4_e2m1 seed 0`. */
  readonly label: string;
  readonly hash: string;
  readonly configuration: TrialConfiguration;
  /** Name of the optimizer in the search or the study. */
  readonly optimizer: string;
  /** Its options as the search or the study sets them. */
  readonly options: Options;
  readonly steps: number;
  /** The split that is evaluated. */
  readonly split: 'validation' | 'test';
}

/** JSON with sorted keys and without undefined values, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** Full SHA-256 of the canonical configuration, without the path of the data, which does not affect the result. */
export function hashOf({ data, ...rest }: TrialConfiguration): string {
  const { folder: _, path: __, ...examples } = { folder: undefined, path: undefined, ...data };
  return createHash('sha256')
    .update(canonicalJson({ ...rest, data: examples }))
    .digest('hex');
}
